# SPDX-License-Identifier: MIT
#
# The interpreter of a Python model: it loads the module once and forks for each trial, so that imports are paid once.
# Embedded in the programs (lib/run/python.c tells how it is spoken to) and read from stdin by
#     python3 - SOCKET ENTRY_POINT FUNCTION
# Needs Python 3.6 and nothing beside its standard library.
import sys

if sys.path and sys.path[0] == "":
    del sys.path[0]  # the working folder must not shadow the modules that are imported here

import atexit
import fcntl
import gc
import importlib.util
import json
import math
import os
import random
import select
import signal
import socket
import threading
import traceback
import warnings
from importlib.machinery import SourceFileLoader

MOST = 1 << 20  # bytes of a result


class Unfit(Exception):
    """What the function returned is no result."""


# ---- the module ----


def load(entry, name):
    """The function, from a file that is loaded as `python3 ENTRY` would, but for __name__: no main block runs."""
    sys.argv[:] = [entry]
    path = os.path.abspath(entry)
    sys.path.insert(0, os.path.dirname(os.path.realpath(path)))
    stem = os.path.splitext(os.path.basename(path))[0]
    if stem in sys.modules:
        stem = "mb_model_" + stem  # random.py must not become what others import as random
    spec = importlib.util.spec_from_file_location(stem, path, loader=SourceFileLoader(stem, path))
    module = importlib.util.module_from_spec(spec)
    sys.modules[stem] = module
    with open(path, "rb") as file:
        source = file.read()
    # Not by the loader: its cache goes by whole seconds, and a script that was just edited would be the old one.
    exec(compile(source, path, "exec", dont_inherit=True), module.__dict__)
    function = getattr(module, name)
    if not callable(function):
        raise TypeError("%s is not a function" % name)
    return function


def last_line(error):
    """The line that says it: "ValueError: …", without notes and the picture of a syntax error."""
    lines = traceback.format_exception_only(type(error), error)
    said = [line for line in lines if not line.startswith(" ")]
    return clean(" ".join((said or lines)[0].split()))


def show(error, frames):
    """The traceback, without the first frames, which are this file's."""
    trace = error.__traceback__
    for _ in range(frames):
        trace = trace and trace.tb_next
    traceback.print_exception(type(error), error, trace)


# ---- a result ----


def clean(text):
    """What can stand in a record: no halves of characters, no NUL."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", " ")


def number(value, of):
    """An int or a float from whatever is one number: numpy's, an array of no dimension, a tensor, a fraction."""
    if hasattr(value, "item") and not isinstance(value, (bool, int, float)):
        try:
            value = value.item()
        except (TypeError, ValueError):
            raise Unfit("%s is an array of shape %s, not a number" % (of, getattr(value, "shape", "?")))
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 63:
        return int(value)
    if isinstance(value, (bool, str, bytes, complex)) or not hasattr(value, "__float__"):
        raise Unfit("%s is %s, not a number" % (of, shown(value)))
    value = float(value)
    if not math.isfinite(value):
        raise Unfit("%s is %s, not a finite number" % (of, value))
    return value


def shown(value):
    text = repr(value)
    return "%s %s" % (type(value).__name__, text if len(text) <= 60 else text[:57] + "...")


def plain(value):
    """Metadata as JSON has it: what is not known becomes text, what is not finite null."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, int):
        return int(value) if abs(value) < 1 << 63 else float(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, dict):
        return {clean(str(key)): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    for method in ("tolist", "item"):
        if hasattr(value, method):
            return plain(getattr(value, method)())
    return plain(str(value))


def is_named(item):
    return isinstance(item, dict) and "name" in item and "value" in item


def record(returned, metric):
    """The members that the trial's record gets for what the function returned."""
    result = {}
    if isinstance(returned, tuple) and len(returned) == 2 and not is_named(returned[0]):
        returned, metadata = returned
        if metadata is not None:
            result["metadata"] = plain(metadata)
    metrics = result["metrics"] = {}
    stddev = {}
    if is_named(returned) and not isinstance(returned["name"], (int, float)):
        returned = [returned]
    if isinstance(returned, dict):
        for name, value in returned.items():
            metrics[clean(str(name))] = number(value, str(name))
    elif isinstance(returned, (list, tuple)):
        for item in returned:
            if not is_named(item):
                raise Unfit("its result holds %s, not {\"name\": …, \"value\": …}" % shown(item))
            name = clean(str(item["name"]))
            metrics[name] = number(item["value"], name)
            if item.get("value_stddev") is not None:
                stddev[name] = number(item["value_stddev"], "value_stddev of " + name)
    elif returned is None:
        raise Unfit("it returned None, not a number")
    else:
        metrics[metric] = number(returned, metric)
    if stddev:
        result["metrics_stddev"] = stddev
    return result


def as_text(result):
    text = json.dumps(result, allow_nan=False)
    if len(text) > MOST and "metadata" in result:
        print("metadata of %d bytes is left out of the record: at most %d are kept" % (len(text), MOST), file=sys.stderr)
        del result["metadata"]
        text = json.dumps(result, allow_nan=False)
    return text


# ---- a trial, in a child of its own ----


def read_all(fd):
    parts = []
    while True:
        part = os.read(fd, 1 << 16)
        if not part:
            return b"".join(parts)
        parts.append(part)


def seed(value):
    """Streams of random numbers that the module made at its import would be the same in all trials."""
    random.seed(value)
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    if hasattr(numpy, "random"):
        numpy.random.seed(value % (1 << 32))
    if hasattr(torch, "manual_seed"):
        torch.manual_seed(value)


def tie(leash):
    """The kernel kills the whole group as soon as nobody holds the other end, even if all others were killed at once."""
    fcntl.fcntl(leash, fcntl.F_SETOWN, -os.getpid())
    fcntl.fcntl(leash, getattr(fcntl, "F_SETSIG", 10), signal.SIGKILL)
    fcntl.fcntl(leash, fcntl.F_SETFL, fcntl.fcntl(leash, fcntl.F_GETFL) | os.O_ASYNC | os.O_NONBLOCK)
    try:
        if not os.read(leash, 1):
            os._exit(1)
    except BlockingIOError:
        pass


def call_it(function, request, out):
    """Exit status, as Python's own."""
    try:
        try:
            result = record(function(request["argument"]), request["metric"])
        except Unfit as error:
            result = {"status": "failed", "error": clean(" ".join(str(error).split()))}
        except SystemExit:
            raise
        except BaseException as error:
            show(error, 1)
            result = {"status": "failed", "error": last_line(error)}
        text = (as_text(result) + "\n").encode()
        while text:
            text = text[os.write(out, text):]
    except SystemExit as error:
        if error.code is None or isinstance(error.code, int):
            return (error.code or 0) & 255
        print(error.code, file=sys.stderr)
        return 1
    except BaseException as error:  # a result that cannot be written
        show(error, 0)
        return 1
    return 0


def run_trial(function, variables, given, out, error, leash):
    """Never returns."""
    status = 1
    try:
        os.setpgid(0, 0)
        try:
            tie(leash)
        except OSError:
            pass  # a kernel that cannot: the others still look after the group
        os.dup2(error, 1)
        os.dup2(error, 2)
        os.close(error)
        for variable in variables:
            name, _, value = variable.partition(b"=")
            os.environb[name] = value
        text = read_all(given)
        os.close(given)
        if text:
            request = json.loads(text.decode())
            seed(request.get("seed", 0))
            status = call_it(function, request, out)
            try:
                threading._shutdown()  # threads that the function left, as python3 waits for them
                atexit._run_exitfuncs()
            except BaseException as problem:
                show(problem, 0)
            sys.stdout.flush()
            sys.stderr.flush()
    except BaseException as problem:
        traceback.print_exception(type(problem), problem, problem.__traceback__)
    finally:
        os._exit(status)


# ---- the server ----


class Server:
    def __init__(self, requests, function):
        self.requests, self.function = requests, function
        self.trials = {}  # fd of the control socket: [pid, socket, leash, has ended]
        self.poll = select.poll()
        self.wake, self.waker = os.pipe()
        os.set_blocking(self.wake, False)
        os.set_blocking(self.waker, False)
        self.old_fd = signal.set_wakeup_fd(self.waker)
        self.old_handler = signal.signal(signal.SIGCHLD, lambda *_: None)
        self.poll.register(requests, select.POLLIN)
        self.poll.register(self.wake, select.POLLIN)

    def in_child(self):
        """Back to what the module left, and nothing of the server's stays open."""
        signal.set_wakeup_fd(self.old_fd)
        signal.signal(signal.SIGCHLD, self.old_handler if self.old_handler is not None else signal.SIG_DFL)
        os.close(self.wake)
        os.close(self.waker)
        self.requests.close()
        for _, control, leash, _ in self.trials.values():
            control.close()
            os.close(leash)

    def fork(self, variables, fds):
        given, out, error, control, leash = fds
        sys.stdout.flush()
        sys.stderr.flush()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # threads of BLAS libraries: they know how to be forked
            pid = os.fork()
        if pid == 0:
            self.in_child()
            os.close(control)
            run_trial(self.function, variables, given, out, error, leash)
        try:
            os.setpgid(pid, pid)
        except OSError:
            pass  # it was faster
        for fd in (given, out, error):
            os.close(fd)
        control = socket.socket(fileno=control)
        self.trials[control.fileno()] = [pid, control, leash, False]
        self.poll.register(control, 0)
        self.tell(control, pid)

    @staticmethod
    def tell(control, value):
        try:
            control.send(b"%d" % value)
        except OSError:
            pass  # its worker is gone: the hang-up is seen

    def receive(self):
        size = socket.CMSG_SPACE(5 * 4)
        message, extra, _, _ = self.requests.recvmsg(1 << 16, size, socket.MSG_CMSG_CLOEXEC)
        if not message:
            self.end()
        fds = memoryview(extra[0][2]).cast("i").tolist()
        self.fork([variable for variable in message[1:].split(b"\0") if variable], fds)

    def look_for_ends(self):
        for trial in self.trials.values():
            pid, control, _, ended = trial
            info = None if ended else os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if info:
                # It stays a zombie until its worker has done with it: so its number is not another group's.
                trial[3] = True
                self.kill(pid)
                self.tell(control, info.si_status << 8 if info.si_code == os.CLD_EXITED else info.si_status)

    @staticmethod
    def kill(pid):
        try:
            os.killpg(pid, signal.SIGKILL)
        except OSError:
            pass

    def bury(self, fd):
        pid, control, leash, _ = self.trials.pop(fd)
        self.poll.unregister(fd)
        self.kill(pid)
        os.waitpid(pid, 0)
        control.close()
        os.close(leash)

    def end(self):
        for trial in self.trials.values():
            self.kill(trial[0])
        os._exit(0)

    def serve(self):
        while True:
            for fd, event in self.poll.poll():
                if fd in self.trials:
                    self.bury(fd)
                elif fd == self.wake:
                    os.read(self.wake, 1 << 16)
                    self.look_for_ends()
                elif event:
                    self.receive()


def main():
    requests = socket.socket(fileno=int(sys.argv[1]))
    requests.set_inheritable(False)
    entry, name = sys.argv[2:]
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(2, 1)
    os.close(null)
    try:
        function = load(entry, name)
    except BaseException as error:
        show(error, 2)
        sys.stderr.flush()
        requests.send(b"E" + last_line(error).encode("utf-8", "replace")[:900])
        os._exit(1)
    server = Server(requests, function)
    gc.collect()
    if hasattr(gc, "freeze"):
        gc.freeze()  # or the collector of each child would copy all pages
    requests.send(b"R")
    server.serve()


main()
