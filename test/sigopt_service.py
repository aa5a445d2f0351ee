#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A stand-in for SigOpt's service (REST API v1), of the standard library alone: random points, everything in memory.

It is stricter than the service where a client could go wrong: every key is known, every value of a categorical is a
text. It loses requests and answers on demand. GET /dump shows what it holds, without a token.
"""
import argparse, base64, json, os, random, re, sys, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

EXPERIMENT = set("name type observation_budget parallel_bandwidth parameters metrics conditionals linear_constraints "
                 "project metadata".split())
PARAMETER = set("name type bounds grid categorical_values transformation prior default_value conditions".split())
OBSERVATION = set("suggestion assignments values failed metadata".split())


class Refused(Exception):
  def __init__(self, status, message):
    super().__init__(message)
    self.status, self.message = status, message


class Lost(Exception):
  pass


def check(ok, message, status=400):
  if not ok:
    raise Refused(status, message)


class Service:
  def __init__(self, options):
    self.options, self.random, self.lock = options, random.Random(options.seed), threading.Lock()
    self.experiments, self.suggestions, self.observations, self.requests = [], [], [], []

  def find(self, items, id):
    found = [i for i in items if i["id"] == id]
    check(found, f"No object {id}", 404)
    return found[0]

  def page(self, items, query):
    """Newest first, a few at a time, whatever the client would like; the markers are opaque."""
    before = base64.b64decode(query["before"]).decode() if "before" in query else ""
    items = [i for i in reversed(items) if not before or int(i["id"]) < int(before)]
    data = items[:self.options.page]
    more = len(items) > len(data)
    marker = base64.b64encode(("%6s" % data[-1]["id"]).encode()).decode() if more else None
    return {"object": "pagination", "count": len(items), "data": data, "paging": {"before": marker, "after": None}}

  def create(self, body):
    check(body.keys() <= EXPERIMENT, f"Unknown keys: {sorted(body.keys() - EXPERIMENT)}")
    for p in body["parameters"]:
      check(p.keys() <= PARAMETER, f"Unknown keys: {sorted(p.keys() - PARAMETER)}")
      check(all(isinstance(v, str) for v in p.get("categorical_values", [])), "categorical values are texts")
    e = {**body, "object": "experiment", "id": str(len(self.experiments) + 1), "state": "active"}
    self.experiments.append(e)
    return e

  def draw(self, e):
    chosen = {c["name"]: self.random.choice(c["values"]) for c in e.get("conditionals", [])}
    point = dict(chosen)
    for p in e["parameters"]:
      if any(chosen[c] not in allowed for c, allowed in p.get("conditions", {}).items()):
        continue
      if self.options.repeat:
        self.random.seed(1)
      values = p.get("categorical_values") or p.get("grid")
      if values:
        point[p["name"]] = self.random.choice(values)
      elif p["type"] == "int":
        point[p["name"]] = self.random.randint(p["bounds"]["min"], p["bounds"]["max"])
      else:
        point[p["name"]] = self.random.uniform(p["bounds"]["min"], p["bounds"]["max"])
    return point

  def suggest(self, e, body):
    check(e["state"] == "active", f"Experiment {e['id']} is deleted")
    check(body.keys() <= {"assignments", "metadata"}, "Unknown keys")
    s = {"object": "suggestion", "id": str(len(self.suggestions) + 1), "experiment": e["id"], "state": "open",
         "assignments": body.get("assignments") or self.draw(e), "metadata": body.get("metadata"), "deleted": False}
    self.suggestions.append(s)
    return s

  def observe(self, e, body):
    check(body.keys() <= OBSERVATION, f"Unknown keys: {sorted(body.keys() - OBSERVATION)}")
    check(("suggestion" in body) != ("assignments" in body), "exactly one of suggestion, assignments")
    check(body.get("failed") or {v["name"] for v in body["values"]} == {m["name"] for m in e["metrics"]},
          "a value for each metric is expected")
    if "suggestion" in body:
      self.find([s for s in self.suggestions if s["experiment"] == e["id"]], body["suggestion"])["state"] = "closed"
    o = {**body, "object": "observation", "id": str(len(self.observations) + 1), "experiment": e["id"]}
    self.observations.append(o)
    return o

  def route(self, method, path, query, body):
    own = lambda items, e: [i for i in items if i["experiment"] == e["id"] and not i.get("deleted")]
    if re.fullmatch(r"/v1(/clients/[^/]+)?/experiments", path):
      return self.create(body) if method == "POST" else self.page(
        [e for e in self.experiments if e["state"] == "active"], query)
    match = re.fullmatch(r"/v1/experiments/([^/]+)(?:/(suggestions|observations)(?:/([^/]+))?)?", path)
    check(match, f"Endpoint not found: {path}", 404)
    e, what = self.find(self.experiments, match[1]), match[2]
    if what is None:
      if method == "PUT":
        check(body.keys() <= EXPERIMENT - {"conditionals", "linear_constraints", "type"}, "Unknown keys")
        e.update(body)
      elif method == "DELETE":
        e["state"] = "deleted"
      return e
    if match[3]:
      self.find(self.suggestions, match[3])["deleted"] = True
      return {}
    if method == "POST":
      return self.suggest(e, body) if what == "suggestions" else self.observe(e, body)
    items = own(getattr(self, what), e)
    return self.page([i for i in items if query.get("state") in (None, i.get("state"))], query)

  def hold(self, method, path, late):
    """Where --hold names this moment, waits until the test has removed the file `held`: True."""
    kind = path.rpartition("/")[2]
    moment = method == "POST" and f"{kind}:{len(getattr(self, kind)) + late}" + ":late" * late
    if moment not in self.options.hold:
      return False
    self.options.hold.remove(moment)
    open("held", "w").close()
    while os.path.exists("held"):
      time.sleep(0.02)
    return True

  def answer(self, method, url, token, body, sure):
    o = self.options
    if url.path == "/dump":
      return {k: getattr(self, k) for k in ("experiments", "suggestions", "observations", "requests")}
    self.requests.append(f"{method} {url.path}")
    chance = 1 if sure else self.random.random()
    if len(self.requests) <= o.fail_first or chance < o.fail_rate:
      raise Refused(o.fail_status or self.random.choice([429, 503]), "not now")
    check(token == o.token, f"This endpoint requires a valid API token, not {token}.", 403)
    if chance < o.fail_rate + o.lose_rate / 2:
      raise Lost
    answer = self.route(method, url.path, dict(parse_qsl(url.query)), body)
    if chance < o.fail_rate + o.lose_rate:
      raise Lost
    return answer


class Handler(BaseHTTPRequestHandler):
  protocol_version = "HTTP/1.1"

  def handle_any(self):
    raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
    user = base64.b64decode(self.headers.get("Authorization", "Basic ").partition(" ")[2]).decode().partition(":")[0]
    url, status = urlsplit(self.path), 200
    if url.path != "/dump":
      time.sleep(options.delay)
    late = service.hold(self.command, url.path, 1)
    try:
      with service.lock:
        data = json.dumps(service.answer(self.command, url, user, json.loads(raw or b"{}"), late)).encode()
      if late or service.hold(self.command, url.path, 0):
        raise Lost
    except Lost:
      self.close_connection = True
      return
    except Refused as e:
      status, data = e.status, json.dumps({"message": e.message, "status": e.status}).encode()
    if options.babble:
      data = b"<html>"
    self.send_response(status)
    self.send_header("Content-Length", str(len(data)))
    if status == 429 and options.retry_after:
      self.send_header("Retry-After", str(options.retry_after))
    self.end_headers()
    self.wfile.write(data)

  do_GET = do_POST = do_PUT = do_DELETE = handle_any

  def log_message(self, *words):
    pass


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--token", default="t0ken-s3cret")
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--page", type=int, default=3)
parser.add_argument("--delay", type=float, default=0)
parser.add_argument("--fail-rate", type=float, default=0, help="requests answered 429 or 503, nothing done")
parser.add_argument("--fail-first", type=int, default=0, help="so many requests first")
parser.add_argument("--fail-status", type=int, default=0, help="with this in place of 429 or 503")
parser.add_argument("--lose-rate", type=float, default=0, help="connections cut: half of them before, half after it is done")
parser.add_argument("--hold", action="append", default=[], metavar="KIND:N[:late]",
                    help="once, make the file `held`, answer to the POST of the Nth nothing and, late, do it only then, "
                    "when the file is gone")
parser.add_argument("--retry-after", type=int, default=0)
parser.add_argument("--repeat", action="store_true", help="always the same suggestion")
parser.add_argument("--babble", action="store_true", help="answers that are no JSON")
options = parser.parse_args()
service = Service(options)
server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
server.serve_forever()
