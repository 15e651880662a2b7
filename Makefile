# Latchkey's build: no configure step, everything it makes is below build/. `make help` lists the
# targets.
#
# A variant is a folder below build/ with objects of its own, so that switching costs no rebuild:
#   release (default)   build/latchkey
#   DEBUG=1             build/debug/latchkey      asserts on, little optimisation
#   SAN=address         build/address/latchkey    address and undefined sanitizers, asserts on
#   SAN=thread          build/thread/latchkey     thread sanitizer, asserts on
#   FUZZ=1              build/fuzz/               clang with libFuzzer; set by `make fuzz` alone

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY:
MAKEFLAGS += --no-builtin-rules
SHELL := /bin/bash

PREFIX ?= /usr/local
DESTDIR ?=
ARGS ?=
SUITES ?=
FUZZ_SECONDS ?= 600

# ---- variants ------------------------------------------------------------------------------------

ifeq ($(origin CC),default)
CC := gcc
endif
ASSERTS := -DLK_DEBUG=1
ALLOCATOR = $(call static,jemalloc)

ifdef FUZZ
VARIANT := fuzz
CC := clang
OPTIMISE := -O1 -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined \
	-fno-sanitize-recover=undefined -DLK_NO_JEMALLOC=1 $(ASSERTS)
LINK := -fsanitize=address,undefined
ALLOCATOR :=
else ifeq ($(SAN),address)
VARIANT := address
OPTIMISE := -O1 -fno-omit-frame-pointer -fsanitize=address,undefined \
	-fno-sanitize-recover=undefined -DLK_NO_JEMALLOC=1 $(ASSERTS)
LINK := -fsanitize=address,undefined
ALLOCATOR :=
else ifeq ($(SAN),thread)
VARIANT := thread
OPTIMISE := -O1 -fno-omit-frame-pointer -fsanitize=thread -DLK_NO_JEMALLOC=1 $(ASSERTS)
LINK := -fsanitize=thread
ALLOCATOR :=
else ifneq ($(SAN),)
$(error SAN is address or thread)
else ifdef DEBUG
VARIANT := debug
OPTIMISE := -O1 -fno-omit-frame-pointer $(ASSERTS)
else
VARIANT := release
OPTIMISE := -O3
endif

OUT := build/$(VARIANT)
BIN := $(if $(filter release,$(VARIANT)),build/latchkey,$(OUT)/latchkey)

# Where Debian has the headers of libpq and libmariadb.
DATABASES := -I/usr/include/postgresql -I/usr/include/mariadb

WARN := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla \
	-Wpointer-arith -Wformat=2 -Wundef -Wwrite-strings
# Values are read through several struct views of the same bytes (packed collections, entries),
# hence no-strict-aliasing.
CFLAGS_ALL = -std=c11 -D_GNU_SOURCE -I. $(DATABASES) $(OPTIMISE) -g -pthread -fno-strict-aliasing \
	-fno-plt $(WARN) -MMD -MP $(CFLAGS)
LDFLAGS_ALL = -pthread $(LINK) -Wl,-z,relro,-z,now $(LDFLAGS)

# A library is linked statically where its archive is there: calls into it are direct, and the
# binary runs on a machine that lacks it. The compiler is asked when the rule runs, since it may
# have been installed by then.
static = $(if $(wildcard $(shell $(CC) -print-file-name=lib$(1).a)),-l:lib$(1).a,-l$(1))
# The clients of the databases bring half a dozen libraries with them, which are shared ones.
LIBS = $(call static,event_core) $(call static,json-c) $(ALLOCATOR) -lsqlite3 -lpq -lmariadb -lm

# ---- sources -------------------------------------------------------------------------------------

DIRS := base resp storage storage/rdb storage/log storage/rows storage/backend conf server \
	server/locks server/backend server/commands
MAIN := server/main.c
SOURCES := $(wildcard $(DIRS:%=%/*.c))
OBJECTS := $(patsubst %.c,$(OUT)/%.o,$(filter-out $(MAIN),$(SOURCES)))
MAIN_OBJECT := $(MAIN:%.c=$(OUT)/%.o)
ARCHIVE := $(OUT)/liblatchkey.a

# In the test folders, a file that defines main is a program, and the others of its folder are
# linked to each of them.
TEST_DIRS := $(wildcard tests/unit/* tests/wire tests/differential tests/race tests/crash tests/locks \
	tests/backend)
TEST_SOURCES := $(wildcard $(TEST_DIRS:%=%/*.c))
TEST_MAINS := $(if $(TEST_SOURCES),$(shell grep -l '^int main\>' $(TEST_SOURCES) /dev/null))
TEST_PROGRAMS := $(TEST_MAINS:%.c=$(OUT)/%)
TEST_LIB_OBJECTS := $(patsubst %.c,$(OUT)/%.o,$(wildcard tests/lib/*.c))
TEST_LIB := $(OUT)/tests/libtest.a
TEST_SCRIPTS := $(filter-out tests/bench/run tests/lint/run tests/fuzz/run,$(wildcard tests/*/run))
FUZZERS := $(patsubst %.c,build/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))

# ---- the server ----------------------------------------------------------------------------------

.PHONY: all run test test-crash tests bench lint format fuzz fuzzers install uninstall clean help force
all: $(BIN)

$(BIN): $(MAIN_OBJECT) $(ARCHIVE)
	@echo "  link    $@"
	@$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $(MAIN_OBJECT) $(ARCHIVE) $(LIBS)

$(ARCHIVE): $(OBJECTS)
	@rm -f $@
	@ar rcs $@ $(OBJECTS)

$(OUT)/%.o: %.c $(OUT)/flags | build/deps/build
	@mkdir -p $(@D)
	@echo "  compile $<"
	@$(CC) $(CFLAGS_ALL) -c -o $@ $<

# Changes when the flags do, so that everything is compiled again then and only then.
$(OUT)/flags: force
	@mkdir -p $(@D)
	@flags='$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL)'; \
		echo "$$flags" | cmp -s - $@ || echo "$$flags" > $@

# What the machine lacks is installed once; the stamp keeps later builds from asking dpkg again.
build/deps/%: tools/install-deps
	@tools/install-deps $*
	@mkdir -p $(@D) && touch $@

build/deps/test build/deps/bench build/deps/lint build/deps/fuzz: | build/deps/build

run: all
	$(BIN) conf/latchkey.conf $(ARGS)

# ---- tests ---------------------------------------------------------------------------------------

tests: build/deps/test $(BIN) $(TEST_PROGRAMS)
	@mkdir -p $(OUT)/tests
	@printf '%s\n' $(TEST_PROGRAMS) $(TEST_SCRIPTS) > $(OUT)/tests/suites

test: tests
	@LATCHKEY=$${LATCHKEY:-$(BIN)} SAN=$(SAN) tests/run --list $(OUT)/tests/suites $(SUITES)

test-crash: tests
	@CRASH_KILLS=200 CRASH_ALL=1 LATCHKEY=$${LATCHKEY:-$(BIN)} SAN=$(SAN) tests/run --list \
		$(OUT)/tests/suites crash

$(TEST_LIB): $(TEST_LIB_OBJECTS)
	@mkdir -p $(@D)
	@rm -f $@
	@ar rcs $@ $(TEST_LIB_OBJECTS)

$(OUT)/tests/%.o: | build/deps/test

helpers = $(patsubst %.c,$(OUT)/%.o,$(filter-out $(TEST_MAINS),$(wildcard $(1)*.c)))
.SECONDEXPANSION:
$(TEST_PROGRAMS): $(OUT)/%: $(OUT)/%.o $$(call helpers,$$(dir %)) $(TEST_LIB) $(ARCHIVE)
	@echo "  link    $@"
	@$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -Wl,--as-needed -o $@ $(filter %.o,$^) $(TEST_LIB) $(ARCHIVE) \
		-lhiredis -lcmocka $(LIBS)

bench: all build/deps/bench
	LATCHKEY=$(BIN) tests/bench/run $(ARGS)

lint: build/deps/lint
	@TIDY=$(TIDY) tests/lint/run

format: build/deps/lint
	clang-format -i $$(git ls-files '*.c' '*.h')

fuzz: build/deps/fuzz
	@$(MAKE) FUZZ=1 fuzzers
	@set -e; for fuzzer in $(FUZZERS); do \
		name=$${fuzzer##*/fuzz_}; corpus=build/fuzz/corpus/$$name; mkdir -p $$corpus; \
		seeds=$$(ls -d tests/fuzz/corpus/$$name 2>/dev/null || true); \
		words=$$(ls tests/fuzz/$$name.dict 2>/dev/null || true); \
		echo "== $$name, $(FUZZ_SECONDS) s"; \
		$$fuzzer -max_total_time=$(FUZZ_SECONDS) -timeout=10 -print_final_stats=1 \
			$${words:+-dict=$$words} -artifact_prefix=build/fuzz/$$name- $$corpus $$seeds; \
	done

fuzzers: $(FUZZERS)

$(FUZZERS): build/fuzz/%: build/fuzz/%.o $(ARCHIVE)
	@echo "  link    $@"
	@$(CC) $(CFLAGS_ALL) -fsanitize=fuzzer $(LDFLAGS_ALL) -o $@ $< $(ARCHIVE) $(LIBS)

# ---- the rest ------------------------------------------------------------------------------------

bindir := $(DESTDIR)$(PREFIX)/bin
# Configuration of a package in /usr belongs to /etc, of one in /usr/local to /usr/local/etc.
etcdir := $(if $(filter /usr,$(PREFIX)),/etc,$(PREFIX)/etc)
docdir := $(DESTDIR)$(PREFIX)/share/doc/latchkey
unitdir := $(DESTDIR)$(PREFIX)/lib/systemd/system

install: all
	install -D -m 755 $(BIN) $(bindir)/latchkey
	[ -e $(DESTDIR)$(etcdir)/latchkey/latchkey.conf ] || \
		install -D -m 644 conf/latchkey.conf $(DESTDIR)$(etcdir)/latchkey/latchkey.conf
	install -d $(unitdir) $(docdir)
	sed -e 's|@bindir@|$(PREFIX)/bin|' -e 's|@etcdir@|$(etcdir)|' \
		-e 's|@docdir@|$(PREFIX)/share/doc/latchkey|' \
		conf/latchkey.service > $(unitdir)/latchkey.service
	chmod 644 $(unitdir)/latchkey.service
	install -m 644 $(wildcard README.md ARCHITECTURE.md) conf/latchkey.conf $(docdir)

# The configuration stays: it may hold what somebody wrote.
uninstall:
	rm -f $(bindir)/latchkey $(unitdir)/latchkey.service
	rm -rf $(docdir)

clean:
	rm -rf build

help:
	@echo 'make            build build/latchkey (installs what is missing from Debian)'
	@echo 'make run        build and start it on 127.0.0.1:6379; ARGS="--port 7000" are passed on'
	@echo 'make test       build and run all tests; SUITES="unit wire/strings" picks some'
	@echo 'make bench      speed and memory beside redis-server'
	@echo 'make lint       layering, sizes, banned calls, format, cppcheck; TIDY=1 adds clang-tidy'
	@echo 'make format     apply clang-format'
	@echo 'make fuzz       each fuzzer for FUZZ_SECONDS (600)'
	@echo 'make install    to DESTDIR and PREFIX (/usr/local); make uninstall'
	@echo 'make clean      remove build/'
	@echo 'DEBUG=1, SAN=address and SAN=thread make the other variants, with any of all, run, test'

-include $(shell find $(OUT) -name '*.d' 2>/dev/null)
