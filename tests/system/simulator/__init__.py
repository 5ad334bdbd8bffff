"""The shell of the exchange on a simulated clock, disk, network and Postgres: one seed, one schedule, every time.

What runs is the product's own code: sequencer, journal, recovery, drop copy, follower, ledger worker. What is simulated
lies below it, and is put in its place by `seams.py` for the time of a schedule. Read `world.py` first.
"""
