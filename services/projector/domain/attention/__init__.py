"""What people should look after today, why, and what clears it.

One rule a module, all of them pure functions of what holds on the day. Silence and machines clear
nothing that wants contact. Source: the domain contract, section 6, "Attention".
"""
