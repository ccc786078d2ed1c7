"""Charts: plain data (data), asked of the services (fetching), drawn with matplotlib (the rest).

Only `style`, `balance`, `recovery` and `portfolio` import matplotlib (extra `rapport[charts]`).
"""
