"""Makes the report of an evidence pack again from its entries, which verify.py has proved: report.json and report.csv, byte by byte.

What each figure counts is told by definitions.json beside this file, and never by the pack. The report was written by JavaScript:
so text is cut and sorted by units of UTF-16 here, and numbers are doubles that are written as JavaScript writes them.
"""
import datetime
import json
import os
import re

FORMAT = "sentinel-audit-report/2"
TYPES = ["probe", "anomaly", "decision", "agreement", "configuration", "system", "approval"]
HOUR = 3_600_000_000
MAX_CITED, MAX_ACTIONS, MAX_RANGES, MAX_REASON = 25, 10_000, 500, 300
EPOCH = datetime.datetime(1970, 1, 1)


# ---- What JavaScript writes.

def parse_json(text):
    """Numbers as JavaScript has them: whole ones that a double holds as int, others as float."""
    def refuse(name):
        raise ValueError("%s is no JSON" % name)

    def number(text):
        value = float(text)
        return int(value) if abs(value) < 2.0**53 and value == int(value) else value

    return json.loads(text, parse_int=number, parse_float=number, parse_constant=refuse)


def number_text(value):
    """Number::toString of ECMAScript: the shortest digits, like Python's, but other rules for the exponent."""
    if isinstance(value, int):
        return str(value)
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    sign, mantissa, exponent = re.match(r"(-?)([\d.]+)(?:e([+-]\d+))?$", repr(value)).groups()
    whole, _, fraction = mantissa.partition(".")
    fraction = "" if fraction == "0" else fraction
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent or 0) - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0") or "0"
    if len(digits) <= point <= 21:
        return sign + digits + "0" * (point - len(digits))
    if 0 < point <= 21:
        return sign + digits[:point] + "." + digits[point:]
    if -6 < point <= 0:
        return sign + "0." + "0" * -point + digits
    shown = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
    return "%s%se%s%d" % (sign, shown, "+" if point > 0 else "-", abs(point - 1))


def string_json(text):
    """JSON.stringify: half of a pair of UTF-16 units is escaped, everything else beyond ASCII is not."""
    shown = json.dumps(text, ensure_ascii=False)
    return re.sub("[\ud800-\udfff]", lambda half: "\\u%04x" % ord(half.group()), shown)


def to_json(value, indent=None, depth=0):
    """JSON.stringify(value, null, indent)."""
    if value is None or (isinstance(value, float) and value in (float("inf"), float("-inf"))):
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return number_text(value)
    if isinstance(value, str):
        return string_json(value)
    if isinstance(value, dict):
        colon = ":" if indent is None else ": "
        items = [string_json(name) + colon + to_json(member, indent, depth + 1) for name, member in value.items()]
        ends = "{}"
    else:
        items = [to_json(item, indent, depth + 1) for item in value]
        ends = "[]"
    if not items:
        return ends
    if indent is None:
        return ends[0] + ",".join(items) + ends[1]
    inner, outer = "\n" + " " * indent * (depth + 1), "\n" + " " * indent * depth
    return ends[0] + inner + ("," + inner).join(items) + outer + ends[1]


def json_file(value):
    return to_json(value, 1) + "\n"


def utf8(text):
    """As JavaScript encodes: half of a pair becomes U+FFFD."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode("utf-8")


def units(text):
    return text.encode("utf-16-be", "surrogatepass")


def cut(text, length):
    return units(text)[: 2 * length].decode("utf-16-be", "surrogatepass")


def text_of(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return number_text(value)
    return value if isinstance(value, str) else ""


def iso(us):
    return (EPOCH + datetime.timedelta(milliseconds=us // 1000)).isoformat(timespec="milliseconds") + "Z"


# ---- Definitions.

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "definitions.json"), encoding="utf-8") as file:
    DEFINITIONS = json.load(file)


def definition_of(claimed):
    """Title and controls by which a report says that it was counted; None where nobody defined them."""
    if not isinstance(claimed, dict) or claimed.get("format") != FORMAT:
        return None
    version, framework = claimed.get("definitions"), claimed.get("framework")
    known = isinstance(version, int) and not isinstance(version, bool) and isinstance(framework, str)
    return DEFINITIONS.get(str(version), {}).get(framework) if known else None


def selects(selector, leaf, detail):
    def holds(where):
        value = text_of(detail.get(where["field"]))
        return (
            ("is" not in where or value == text_of(where["is"]))
            and ("not" not in where or value != text_of(where["not"]))
            and ("not_field" not in where or value != text_of(detail.get(where["not_field"])))
        )

    event = detail.get("event")
    return selector["type"] == leaf.type and selector["event"] == event and all(map(holds, selector.get("where", [])))


class Figure:
    def __init__(self, definition):
        self.definition = definition
        self.sums, self.values, self.cited = [0, 0], [set(), set()], []

    def take(self, seq, leaf, detail):
        if not any(selects(selector, leaf, detail) for selector in self.definition["of"]):
            return False
        count, side = self.definition["count"], 1 if leaf.injected else 0
        if count == "entries":
            self.sums[side] += 1
        elif "sum" in count:
            added = detail.get(count["sum"])
            self.sums[side] += added if isinstance(added, (int, float)) and not isinstance(added, bool) else 0
        else:
            self.values[side].add(text_of(detail.get(count["distinct"])))
        self.cited.append(seq)
        return True

    def finish(self):
        counts = self.definition["count"]
        distinct = counts != "entries" and "distinct" in counts
        value, injected = [len(values) for values in self.values] if distinct else self.sums
        more = max(len(self.cited) - MAX_CITED, 0)
        return dict(self.definition, value=value, injected=injected, cited=self.cited[-MAX_CITED:], more=more)


class Recount:
    """Takes every entry of the range, in order; gives all that a report states of them."""

    def __init__(self, controls, first):
        self.controls, self.first = controls, first
        self.figures = [Figure(definition) for control in controls for definition in control["shows"]]
        self.total = self.details = self.gone = 0
        self.times = []
        self.seals = {"inside": 0, "agree": 0, "first": None, "last": None, "broken": 0}
        self.pruned, self.types, self.events, self.hours = {}, {}, {}, set()
        self.pending, self.sealed, self.seal_seqs = [], None, []
        self.actions, self.approvals, self.facts = [], {}, {}

    def take(self, seq, leaf, detail):
        self.total += 1
        self.details += 0 if detail is None else 1
        self.gone += 1 if leaf is None else 0
        self.pending.append((seq, leaf and leaf.type))
        if leaf is None:
            return
        self.times = [self.times[0] if self.times else leaf.received_us, leaf.received_us]
        side = "injected" if leaf.injected else "entries"
        self.type_count(leaf.type)[side] += 1
        if leaf.producer != "ledger":
            self.hours.add(leaf.received_us // HOUR)
        if detail is not None:
            self.read(seq, leaf, detail, side)

    def read(self, seq, leaf, detail, side):
        event = text_of(detail.get("event"))
        name = "%s/%s" % (leaf.type, event)
        counts = self.events.setdefault(name, {"type": leaf.type, "event": event, "entries": 0, "injected": 0})
        counts[side] += 1
        if leaf.type == "system" and leaf.producer == "ledger" and event == "seal":
            self.seal(seq, detail)
        acted = text_of(detail.get("actor")) != "" or text_of(detail.get("proposed_by")) != ""
        if acted:
            self.act(seq, leaf, detail)
        counted = [figure for figure in self.figures if figure.take(seq, leaf, detail)]
        if not acted and not counted and event != "seal":
            return
        self.facts[seq] = {
            "seq": seq,
            "received": iso(leaf.received_us),
            "time": iso(leaf.event_us),
            "type": leaf.type,
            "event": event,
            "gpu": leaf.gpu,
            "injected": leaf.injected,
            "actor": text_of(detail.get("actor")),
        }

    def type_count(self, name):
        return self.types.setdefault(name, {"entries": 0, "injected": 0, "pruned": 0})

    def seal(self, seq, detail):
        """What a seal states of its range against what is there: the difference must be what was pruned."""
        first, last, counts = detail.get("first"), detail.get("last"), detail.get("counts")
        if not all(isinstance(n, (int, float)) for n in (first, last)) or not isinstance(counts, dict):
            return
        self.seal_seqs.append(seq)
        if self.sealed is not None and first != self.sealed + 1:
            self.seals["broken"] += 1
        self.sealed = last
        if first >= self.first:
            left, gone = dict(counts), 0
            for at, name in self.pending:
                if first <= at <= last:
                    if name is None:
                        gone += 1
                    else:
                        left[name] = left.get(name, 0) - 1
            self.seals["inside"] += 1
            self.seals["first"] = first if self.seals["first"] is None else self.seals["first"]
            self.seals["last"] = last
            if all(n >= 0 for n in left.values()) and sum(left.values()) == gone:
                self.seals["agree"] += 1
                for name, n in left.items():
                    if n > 0:
                        self.pruned[name] = self.pruned.get(name, 0) + n
        self.pending = [each for each in self.pending if each[0] > last]

    def act(self, seq, leaf, detail):
        def member(name):
            return text_of(detail.get(name))

        actor, proposed_by, event = member("actor"), member("proposed_by"), member("event")
        persons = "one person" if actor == proposed_by else "two persons"
        persons = "engine and one person" if proposed_by == "" else persons
        if event == "approval_approved":
            self.approvals[member("directive")] = persons
        moved = "%s to %s" % (member("from"), member("to")) if member("from") and member("to") else ""
        row = {
            "seq": seq,
            "time": iso(leaf.event_us),
            "event": event,
            "gpu": leaf.gpu,
            "node": member("node"),
            "injected": leaf.injected,
            "what": moved or member("action") or member("incident") or member("version"),
            "actor": actor,
            "proposed_by": proposed_by,
        }
        reason = member("decision_reason") or member("actor_reason") or member("reason")
        self.actions.append((row, cut(reason, MAX_REASON), member("directive") or member("order")))

    def report(self, claimed, title, log, period, first, last):
        """The whole report, as it is written."""
        first_received, last_received = [iso(us) for us in (self.times or [0, 0])]
        bounds = {"first": first, "last": last, "first_received": first_received, "last_received": last_received}
        head = {"format": FORMAT, "framework": claimed["framework"], "definitions": claimed["definitions"]}
        return dict(head, title=title, log=log, period=dict(period, **bounds), **self.finish())

    def finish(self):
        for name, n in self.pruned.items():
            self.type_count(name)["pruned"] += n
        figures = [figure.finish() for figure in self.figures]
        shown = iter(figures)
        controls = [dict(control, shows=[next(shown) for _ in control["shows"]]) for control in self.controls]
        actions = [
            dict(row, persons=self.approvals.get(order, "one person"), reason=reason)
            for row, reason, order in self.actions[-MAX_ACTIONS:]
        ]
        cited = {seq for figure in figures for seq in figure["cited"]}
        cited.update(action["seq"] for action in actions)
        cited.update(self.seal_seqs[-MAX_CITED:])
        return {
            "entries": {
                "total": self.total,
                "by_type": {name: self.types[name] for name in TYPES if name in self.types},
                "details": self.details,
                "details_missing": self.total - self.details,
                "leaves_pruned": self.gone,
                "pruned_of_unknown_type": self.gone - sum(self.pruned.values()),
            },
            "events": [self.events[name] for name in sorted(self.events, key=units)],
            "seals": self.seals,
            "hours": self.silence(),
            "controls": controls,
            "actions": actions,
            "actions_more": len(self.actions) - len(actions),
            "cited": [self.facts[seq] for seq in sorted(cited)],
        }

    def silence(self):
        """Hours of the clock in which nobody said anything."""
        first, last = [us // HOUR for us in (self.times or [0, 0])]
        ranges, begin = [], first
        for hour in sorted(self.hours) + [last + 1]:
            if begin < hour:
                ranges.append((begin, hour))
            begin = hour + 1
        return {
            "from": iso(first * HOUR),
            "to": iso((last + 1) * HOUR),
            "total": last - first + 1,
            "silent": sum(end - begin for begin, end in ranges),
            "silent_ranges": [[iso(hour * HOUR) for hour in each] for each in ranges[:MAX_RANGES]],
        }


COLUMNS = "section control figure label value injected seq time event gpu what actor proposed_by persons reason".split()


def csv_of(report):
    """report.csv: RFC 4180; a cell that begins like a formula gets a quote before it."""
    log, period, entries, seals, hours = [report[name] for name in ("log", "period", "entries", "seals", "hours")]
    facts = [
        ("origin", "Log", log["origin"]),
        ("size", "Entries that the checkpoint signs", log["size"]),
        ("first", "First entry of the period", period["first"]),
        ("last", "Last entry of the period", period["last"]),
        ("first_received", "Taken at", period["first_received"]),
        ("last_received", "Taken at", period["last_received"]),
        ("details_missing", "Entries whose details are gone", entries["details_missing"]),
        ("leaves_pruned", "Entries that are gone, by the seals", entries["leaves_pruned"]),
        ("seals", "Seals within the period", seals["inside"]),
        ("seals_agree", "Seals that agree with the entries", seals["agree"]),
        ("hours", "Hours", hours["total"]),
        ("hours_silent", "Hours in which nothing was logged", hours["silent"]),
    ]
    rows = [{column: column for column in COLUMNS}]
    rows += [{"section": "log", "figure": figure, "label": label, "value": value} for figure, label, value in facts]
    for name, count in entries["by_type"].items():
        row = {"section": "types", "figure": name, "label": "Entries of type " + name}
        rows.append(dict(row, value=count["entries"], injected=count["injected"]))
    for each in report["events"]:
        row = {"section": "events", "figure": each["type"], "label": each["event"]}
        rows.append(dict(row, value=each["entries"], injected=each["injected"]))
    for control in report["controls"]:
        for figure in control["shows"]:
            row = {"section": "controls", "control": control["id"], "figure": figure["id"], "label": figure["label"]}
            rows.append(dict(row, value=figure["value"], injected=figure["injected"]))
    rows += [{"section": "silent", "time": begin, "what": "until " + end} for begin, end in hours["silent_ranges"]]
    rows += [dict(each, section="actions", injected=int(each["injected"])) for each in report["actions"]]
    return "".join(",".join(csv_cell(row.get(column, "")) for column in COLUMNS) + "\r\n" for row in rows)


def csv_cell(value):
    text = value if isinstance(value, str) else number_text(value)
    text = "'" + text if re.match("[=+\\-@\t\r\uff1d\uff0b\uff0d\uff20]", text) else text
    return '"' + text.replace('"', '""') + '"' if re.search('[",\r\n]', text) else text
