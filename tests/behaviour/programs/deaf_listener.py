"""An event listener that answers without ever reading what it is sent. It says "ready" in FILE before each answer.

    deaf_listener.py FILE
"""
import os
import sys
import time

os.write(1, b"READY\n")
for _ in range(100_000):
    with open(sys.argv[1], "a") as out:
        out.write("answer\n")
    # It cannot know whether it was sent something; the pool is asked often enough.
    time.sleep(0.02)
    os.write(1, b"RESULT 2\nOKREADY\n")
