"""What the behaviour suites share: a daemon in a directory of its own, and ways to wait for conditions."""
