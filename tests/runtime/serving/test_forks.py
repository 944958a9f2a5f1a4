"""What a forked process keeps of the signals of its parent."""

import subprocess
import sys

PROGRAM = """
import os, signal
from modhost.runtime.serving.forks import isolate_forks

signal.signal(signal.SIGTERM, lambda *_: None)
for _ in range({calls}):
    isolate_forks()
child = os.fork()
if not child:
    signal.pause()
os.kill(child, signal.SIGTERM)
_, status = os.waitpid(child, 0)
blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [])
print(os.waitstatus_to_exitcode(status), len(blocked), signal.getsignal(signal.SIGTERM) is not None)
"""


def test_hosts_after_one_another_in_a_process_leave_no_signal_blocked() -> None:
    for calls in (1, 2):
        program = PROGRAM.format(calls=calls)
        command = [sys.executable, "-c", program]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
        assert ended.stdout.split() == ["-15", "0", "True"], (calls, ended.stderr)
