#!/usr/bin/env python3
"""The project's own rules, those that no general tool knows.

Prints file:line: what is wrong; exits 1 if anything is. Each rule is a function that yields
complaints about one file or about the tree. Where a function really has to be longer than allowed,
the comment directly above it says why: /* long: ... */.
"""
import collections
import os
import re
import statistics
import subprocess
import sys

COLUMNS = 100
FILE_LINES = 600
FUNCTION_LINES = 60
MEDIAN_LINES = 15

# What the files of a folder may include: their own folder's and these. Tests may include
# everything.
LAYERS = {
    "base": (),
    "resp": ("base",),
    "conf": ("base",),
    "storage": ("base",),
    "server": ("base", "resp", "conf", "storage"),
}

# Call -> what to use. Of these, BANNED holds for tests too.
BANNED = {name: why for names, why in (
    ("strcpy strcat sprintf vsprintf gets strncpy strncat",
     "has no bound that works: use snprintf or a buffer"),
    ("strtok", "keeps state for the whole process: use a slice"),
    ("rand srand random srandom", "is one lock and one sequence for all: use base/rng.h"),
    ("localtime gmtime asctime ctime", "shares its result among threads: use the _r form"),
    ("alloca", "has no bound"),
) for name in names.split()}
PRODUCT = {name: "cannot tell an error: use base/num.h" for name in
           "atoi atol atoll atof".split()}
ALLOCATION = {name: "bypasses the count of memory: use base/mem.h" for name in
              "malloc calloc realloc free strdup strndup aligned_alloc posix_memalign".split()}
# In handlers: the dispatcher locks, the connection writes, the effects log. A file whose first
# comment says so (locks: ...) takes a lock that no key and no other handler knows.
HANDLER = {name: "is not for handlers: they reply and state effects" for name in
           "lock_take lock_release send write recv read pthread_mutex_lock pthread_create".split()}

Function = collections.namedtuple("Function", "file line name lines excused")


class File:
    def __init__(self, path):
        self.path = path
        self.folder = path.split("/")[0]
        self.is_test = self.folder == "tests"
        with open(path, encoding="utf-8", errors="replace") as f:
            self.text = f.read()
        self.lines = self.text.split("\n")
        self.code = strip(self.text).split("\n")


def strip(text):
    """The text with comments and literals blanked, lines kept."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match[0])
    literals = r"""|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'"""
    return re.sub(r"/\*.*?\*/|//[^\n]*" + literals, blank, text, flags=re.S)


# ---- rules on one file ---------------------------------------------------------------------------


def layering(f):
    for number, line in enumerate(f.lines, 1):
        match = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
        if not match:
            continue
        path = match[1]
        if f.is_test and os.path.exists(os.path.join(os.path.dirname(f.path), path)):
            continue
        if not os.path.exists(path):
            yield number, '"%s" is not found from the top folder' % path
        elif not f.is_test and path.split("/")[0] not in (f.folder,) + LAYERS[f.folder]:
            yield number, '%s/ must not know of "%s"' % (f.folder, path)


def banned(f):
    calls = dict(BANNED)
    if not f.is_test:
        calls.update(PRODUCT)
    if not f.is_test and f.path not in ("base/mem.c", "base/mem.h"):
        calls.update(ALLOCATION)
    if f.path.startswith("server/commands/") and "locks: " not in f.text.split("*/")[0]:
        calls.update(HANDLER)
    pattern = re.compile(r"(?<![\w.>])(%s)\s*\(" % "|".join(calls))
    for number, line in enumerate(f.code, 1):
        for match in pattern.finditer(line):
            yield number, "%s() %s" % (match[1], calls[match[1]])


def shape(f):
    if len(f.lines) - 1 > FILE_LINES:
        yield len(f.lines), "%d lines, at most %d" % (len(f.lines) - 1, FILE_LINES)
    if not f.text.startswith("/*") and not f.path.endswith(".def"):
        yield 1, "the first comment says what the file is"
    for number, line in enumerate(f.lines, 1):
        if len(line) > COLUMNS and not (f.is_test and f.path.endswith(".def")):
            yield number, "%d columns, at most %d" % (len(line), COLUMNS)
        if line != line.rstrip():
            yield number, "blanks at the end of the line"
        if "\t" in line:
            yield number, "a tab"


def language(f):
    inside = False
    for number, line in enumerate(f.code, 1):
        if line == "{":
            inside = True
        elif line.startswith("}"):
            inside = False
        if inside and re.match(r"\s*#\s*if", line):
            yield number, "#if in a function: choose between functions instead"
        if re.match(r"\s*typedef\s+(struct|union|enum)\b", line):
            yield number, "a typedef hides what kind of thing it is"


def guard(f):
    if not f.path.endswith(".h") or f.is_test:
        return
    want = "LK_" + re.sub(r"\W", "_", f.path).upper()
    if "#ifndef " + want not in f.text:
        yield 1, "the include guard is to be " + want


FILE_RULES = (layering, banned, shape, language, guard)


# ---- functions -----------------------------------------------------------------------------------


def functions(f):
    """Found by their outline, a brace alone in column 0 to the next; counted from the signature."""
    opened = None
    for index, line in enumerate(f.code):
        if line.rstrip() == "{":
            opened = index
        elif line.startswith("}") and opened is not None:
            first = signature(f, opened)
            name = re.search(r"(\w+)\s*\(", " ".join(f.code[first:opened]))
            yield Function(f.path, first + 1, name[1] if name else "?", index - first + 1,
                           "/* long: " in "\n".join(f.lines[max(first - 3, 0):first]))
            opened = None


def signature(f, opened):
    first = opened
    while first > 0 and not re.match(r"#|\s*$|.*[;}]\s*$", f.code[first - 1]):
        first -= 1
    return first


def sizes(files):
    found = [fn for f in files if f.path.endswith((".c", ".h")) for fn in functions(f)]
    for fn in found:
        if fn.lines > FUNCTION_LINES and not fn.excused:
            yield fn.file, fn.line, "%s() has %d lines, at most %d" % (
                fn.name, fn.lines, FUNCTION_LINES)
    product = [fn.lines for fn in found if not fn.file.startswith("tests/")]
    if product:
        median = statistics.median(product)
        print("# %d functions, median %g lines, longest %d" % (len(product), median, max(product)))
        if median > MEDIAN_LINES:
            yield "", 0, "the median function has %g lines, at most %d" % (median, MEDIAN_LINES)


# ---- rules on the tree ---------------------------------------------------------------------------


def unique_names(files):
    """A name leads to one place: x.c, x.h and x.def lie side by side, and no other x does."""
    places = collections.defaultdict(set)
    for f in files:
        if not f.is_test:
            stem, _ = os.path.splitext(os.path.basename(f.path))
            places[stem].add(os.path.dirname(f.path))
    for stem, folders in sorted(places.items()):
        if len(folders) > 1:
            yield sorted(folders)[1] + "/" + stem, 1, "its name is also in " + sorted(folders)[0]


def idle_options(files):
    """An option is read somewhere, or its row says that it has no effect (INERT, MOOT)."""
    table = next(f for f in files if f.path == "conf/options.def")
    read = set(re.findall(r"(?:->|\.)(\w+)", "\n".join(
        "\n".join(f.code) for f in files
        if f.folder in ("conf", "server") and f is not table)))
    for row in re.finditer(r"^OPTION\(\w+, (\w+),(.*?)\)$", table.text, re.M | re.S):
        if row[1] not in read and not re.search(r"\b(INERT|MOOT)\b", row[2]):
            yield table.path, table.text.count("\n", 0, row.start()) + 1, \
                "nobody reads it, and it is neither INERT nor MOOT"


def leftovers(paths):
    words = re.compile(r"\b(TO" r"DO|FIX" r"ME|X" r"XX|HA" r"CK)\b")
    for path in paths:
        try:
            with open(path, encoding="utf-8") as f:
                for number, line in enumerate(f, 1):
                    if words.search(line):
                        yield path, number, "a leftover: " + words.search(line)[0]
        except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
            pass


def main():
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
    listing = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"],
                             check=True, capture_output=True, text=True)
    paths = [p for p in listing.stdout.splitlines() if os.path.isfile(p)]
    files = [File(p) for p in paths
             if p.endswith((".c", ".h", ".def")) and p.split("/")[0] in {*LAYERS, "tests"}]

    complaints = [(f.path, number, what)
                  for f in files for rule in FILE_RULES for number, what in rule(f)]
    complaints += [c for rule in (sizes, unique_names, idle_options) for c in rule(files)]
    complaints += leftovers(paths)
    for path, number, what in complaints:
        print("%s:%d: %s" % (path, number, what) if path else what)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
