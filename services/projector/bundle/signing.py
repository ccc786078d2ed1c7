"""The key that bundles are signed with."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.runtime.vault import MasterKeys


def signing_key_of(keys: MasterKeys) -> Ed25519PrivateKey:
    """The installation's own: derived from its current master key, so nothing more is to be kept.

    Every replica has the same; a rotation of the master key makes another one, and bundles signed
    before stay valid under the public key that they carry.
    """
    return Ed25519PrivateKey.from_private_bytes(keys.signing_seed)
