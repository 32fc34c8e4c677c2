"""What a function's process runs: awslambdaric, AWS's own runtime client, as in Lambda. Started as a script, by path.

The process must not outlive the stack, however that ended. Its standard input is a pipe of which nobody but the stack
holds the other end, so end of file there means that the stack is gone.
"""

import os
import sys
import threading

from awslambdaric.__main__ import main


def end_with_the_stack() -> None:
    os.read(sys.stdin.fileno(), 1)
    os._exit(1)


threading.Thread(target=end_with_the_stack, name="end-with-the-stack", daemon=True).start()
sys.path.insert(0, os.environ["LAMBDA_TASK_ROOT"])
main(sys.argv)
