"""Tests, by what they need: see CONTRIBUTING."""

import os

# Before anybody imports gRPC, whose fork handlers, with channels open, end the children of this
# process now and then: servers that are started again, as another user, in the midst of a test.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
