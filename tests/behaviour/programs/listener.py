"""An event listener that writes down what it gets and answers as it is told.

    listener.py FILE [ANSWER...]

The first event gets the first answer, and so on; the last one stands for all that follow. `ok` by default.
It speaks bytes and knows nothing of Supervisor's own helper, so it sees exactly what is written to it.
"""
import codecs
import json
import os
import sys

file, answers = sys.argv[1], sys.argv[2:] or ["ok"]
received = sys.stdin.buffer


def say(text):
    os.write(1, text.encode())


def body(length):
    """So many characters: that is what `len` counts."""
    text, decoder = "", codecs.getincrementaldecoder("utf-8")()
    while missing := length - len(text):
        text += decoder.decode(received.read(missing))
    return text


with open(file, "a") as out:
    while True:
        say("READY\n")
        line = received.readline()
        if not line:
            break
        headers = dict(word.split(":", 1) for word in line.decode().split())
        event = {"line": line.decode(), "headers": headers, "body": body(int(headers["len"]))}
        out.write(json.dumps(event) + "\n")
        out.flush()
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if answer == "ok":
            say("RESULT 2\nOK")
        elif answer == "fail":
            say("RESULT 4\nFAIL")
        elif answer == "die":
            os._exit(1)
        elif answer == "die-once":
            # The successor finds that it was done.
            if not os.path.exists(file + ".died"):
                open(file + ".died", "w").close()
                os._exit(1)
            say("RESULT 2\nOK")
        elif answer == "stay":
            received.read()
        elif answer == "bad-line":
            say("RESULT two\nOK")
        elif answer == "babble":
            say("RESULT 2\nOKsomething else\n")
        elif answer == "foobar":
            say("FOOBARB 2\nOK")
        else:
            say(answer.encode().decode("unicode_escape"))
