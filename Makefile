# vSMTP: build, test, measure, install. `make help` lists what a person calls.
#
# Each folder says in its rules.mk what it is made of; this file says how. Objects, dependency files, libraries and test
# programs land in build/, programs in bin/.

PROGRAMS := smtpd mime-check queue-inject queue-run deliver-maildir deliver-remote deliver-pipe address-map mta-sts tls-report qctl vsl-filter
ROOMS    := base net mail lint authn sasl smtp chain queue broker

CXX      ?= g++
ifeq ($(origin CXX),default)
CXX      := g++
endif
BUILD    ?= build
BIN      ?= bin
OPTIMISE ?= -O2
WARNINGS := -Wall -Wextra -Wpedantic -Werror
CXXFLAGS ?= $(OPTIMISE) -g1
# Assertions stay in: a broken invariant ends the process, the parent keeps the mail.
COMPILE   = $(CXX) -std=c++23 $(WARNINGS) $(CXXFLAGS) -ffunction-sections -fdata-sections -I. -MMD -MP

# Static: a process costs 0.5 ms to start so, and 1.7 ms with the same libraries shared (tests/bench/RESULTS.md).
LINKING  ?= -static
LINK      = $(CXX) $(CXXFLAGS) $(LINKING) -Wl,--gc-sections -o $@ $(filter %.o,$^) $(filter %.a,$^)

# objects,FOLDER,NAMES: the objects of these sources of a folder
objects = $(patsubst %,$(BUILD)/$(1)/%.o,$(2))

# What every program needs of the system: options, the configuration file.
LIBS := -lboost_program_options -linih
# What programs need that ask DNS, behind lib.a and before -luv_a.
DNS_LIBS := -lunbound -levent -lhogweed -lnettle -lgmp
# ... and that turn U-labels into A-labels.
IDN_LIBS := -lidn2 -lunistring
# What rules need beside DNS: the public suffix list, regular expressions, hashes, the letters of Unicode.
RULES_LIBS := -lpsl -lre2 -lmbedcrypto -lunistring -lsqlite3 -lm
# TLS, in front of RULES_LIBS and SASL_LIBS if those are needed too.
TLS_LIBS := -Wl,--wrap=calloc,--undefined=__wrap_calloc -lmbedtls -lmbedx509 -lmbedcrypto
# What checking users needs: hashes, the letters of Unicode, passwords as Unix and libsodium store them.
SASL_LIBS := -lmbedcrypto -lunistring -lcrypt -lsodium
# A spool on a broker. Of librabbitmq only what speaks plain TCP is linked: no OpenSSL.
BROKER_LIBS := -lrabbitmq
# What the unit tests and fuzzers need beside: all that any room needs.
UNIT_LIBS := -lcdb $(BROKER_LIBS) $(TLS_LIBS) $(SASL_LIBS) $(RULES_LIBS) $(DNS_LIBS) $(IDN_LIBS) -luv_a -lpthread -ldl

.DEFAULT_GOAL := all
.PHONY: all help deps demo test check-quick bench asan fuzz tidy install clean
.DELETE_ON_ERROR:

LIB_SOURCES   := $(filter-out %_test.cpp %_fuzz.cpp,$(wildcard $(ROOMS:%=lib/%/*.cpp)))
# The rule language has folders and an archive of its own, so that other programs do not carry it.
VSL_FOLDERS   := $(addprefix vsl-filter/,lang transaction body api services check stages serving modes)
VSL_SOURCES   := $(filter-out %_test.cpp %_fuzz.cpp %/main.cpp,$(wildcard $(VSL_FOLDERS:%=%/*.cpp) vsl-filter/*.cpp))
TEST_SOURCES  := $(wildcard $(ROOMS:%=lib/%/*_test.cpp) $(VSL_FOLDERS:%=%/*_test.cpp) $(PROGRAMS:%=%/*_test.cpp))
FUZZ_SOURCES  := $(wildcard $(ROOMS:%=lib/%/*_fuzz.cpp) $(VSL_FOLDERS:%=%/*_fuzz.cpp) $(PROGRAMS:%=%/*_fuzz.cpp))

$(BUILD)/lib.a: $(LIB_SOURCES:%.cpp=$(BUILD)/%.o)
	@rm -f $@
	ar rcs $@ $^

$(BUILD)/vsl.a: $(VSL_SOURCES:%.cpp=$(BUILD)/%.o)
	@rm -f $@
	ar rcs $@ $^

$(BUILD)/%.o: %.cpp
	@mkdir -p $(@D)
	$(COMPILE) -c -o $@ $<

include $(wildcard $(PROGRAMS:%=%/rules.mk))

all: $(BINARIES)  ## build every program into bin/

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*##  *\(.*\)/\1\t\2/p' Makefile | expand -t 12

deps:  ## install what building and testing needs (Debian 12; the only target that installs)
	tests/deps

demo: deps  ## install, build, run a whole server on loopback and show the main job
	$(MAKE) -j$$(nproc) all
	bin/vsmtp demo

test: deps  ## every test: units, programs against real peers, fuzzers for a short time
	$(MAKE) -j$$(nproc) all unit tools fuzz
	tests/run

bench: all tools  ## measure against Debian's mail servers and filters, write tests/bench/RESULTS.md
	tests/bench/run
	tests/bench/deps
	tests/bench/filters/run
	tests/bench/lang/run

.PHONY: crash
crash: all tools  ## power cuts, failing system calls and kills, thousands of each; the figures go to tests/bench/RESULTS.md
	tests/crash/run

.PHONY: trixie
trixie:  ## smtpd with what Debian 13 ships, mbedTLS 3.6 and TLS 1.3, in a folder that debootstrap fills; needs root
	tests/trixie $(BUILD)/trixie

.PHONY: unit
unit: $(BUILD)/unit_tests  ## build the unit tests (run: build/unit_tests)
# Functions of a program that have unit tests are named in TESTED by its rules.mk.
$(BUILD)/unit_tests: $(TEST_SOURCES:%.cpp=$(BUILD)/%.o) $(BUILD)/tests/unit_main.o $(TESTED) $(BUILD)/vsl.a $(BUILD)/lib.a
	$(LINK) $(LIBS) $(UNIT_LIBS)

# Small programs that the end-to-end tests call.
TEST_TOOLS := $(patsubst tests/tools/%.cpp,$(BUILD)/tests/%,$(wildcard tests/tools/*.cpp))
$(TEST_TOOLS): $(BUILD)/tests/%: $(BUILD)/tests/tools/%.o $(BUILD)/vsl.a $(BUILD)/lib.a
	$(LINK) $(LIBS) $(UNIT_LIBS)
# queue-run with a clock that a test may set (tests/clock.bats).
$(BUILD)/tests/queue-run-clock: $(call objects,queue-run,main configuration $(QUEUE_RUN)) $(BUILD)/tests/clock/wrong_clock.o $(BUILD)/lib.a
	$(LINK) -Wl,--wrap=clock_gettime $(LIBS) $(BROKER_LIBS) -lmbedcrypto -luv_a -lpthread -ldl
.PHONY: tools
tools: $(TEST_TOOLS) $(BUILD)/tests/queue-run-clock

# What is made of the tables of the source, and is kept in it: tests/manuals.bats compares.
.PHONY: generated
GENERATORS := $(patsubst %,$(BUILD)/tests/%,settings_manual rules_manual editor_help)
generated: $(GENERATORS)  ## write the manuals and editor files that are made of tables of the source
	$(BUILD)/tests/settings_manual >lib/base/vsmtp.ini.5
	$(BUILD)/tests/rules_manual >vsl-filter/vsl.7
	$(BUILD)/tests/editor_help vim >share/vim/syntax/vsl.vim
	$(BUILD)/tests/editor_help vscode >share/vscode/syntaxes/vsl.tmLanguage.json

asan:  ## everything with address and undefined behaviour sanitizers, into build/asan/
	$(MAKE) CXX=clang++-19 BUILD=build/asan BIN=build/asan/bin LINKING= WARNINGS="$(WARNINGS) -Wno-deprecated-declarations" \
	  CXXFLAGS="-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer" all unit

# Fuzzers: one program a *_fuzz.cpp. tests/fuzz/corpus/NAME holds what a fuzzer starts from, tests/run runs each for a short time.
FUZZERS := $(patsubst %.cpp,$(BUILD)/fuzz/%,$(FUZZ_SOURCES))
FUZZ_FLAGS := -std=c++23 -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -I.
$(BUILD)/fuzz/%.o: %.cpp
	@mkdir -p $(@D)
	clang++-19 $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link -MMD -MP -c -o $@ $<
# An archive, so that a fuzzer links only what its parser needs.
$(BUILD)/fuzz/lib.a: $(LIB_SOURCES:%.cpp=$(BUILD)/fuzz/%.o) $(VSL_SOURCES:%.cpp=$(BUILD)/fuzz/%.o) $(TESTED:$(BUILD)/%=$(BUILD)/fuzz/%)
	@rm -f $@
	ar rcs $@ $^
$(BUILD)/fuzz/%_fuzz: $(BUILD)/fuzz/%_fuzz.o $(BUILD)/fuzz/lib.a
	clang++-19 $(FUZZ_FLAGS) -o $@ $^ $(LIBS) $(UNIT_LIBS)
.SECONDARY: $(FUZZERS:%=%.o)
fuzz: $(FUZZERS)  ## build the fuzzers

tidy:  ## clang-tidy over all sources
	clang-tidy-19 --quiet $(LIB_SOURCES) $(VSL_SOURCES) -- -std=c++23 -I.

PREFIX  ?= /usr/local
DESTDIR ?=
MANUALS := $(wildcard $(PROGRAMS:%=%/*.[1-8]) lib/*/*.[1-8] bin/*.[1-8])
install: all  ## programs, manuals, examples and editor files below $(DESTDIR)$(PREFIX)
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/vsmtp
	install -m 755 $(BINARIES) $(DESTDIR)$(PREFIX)/bin
	install -m 755 bin/vsmtp bin/sendmail $(DESTDIR)$(PREFIX)/bin
	cp -R examples share/vscode $(DESTDIR)$(PREFIX)/share/vsmtp/
	install -d $(DESTDIR)$(PREFIX)/share/vim/vimfiles
	cp -R share/vim/. $(DESTDIR)$(PREFIX)/share/vim/vimfiles/
	for page in $(MANUALS); do d=$(DESTDIR)$(PREFIX)/share/man/man$${page##*.}; install -d $$d; install -m 644 $$page $$d; done

clean:  ## remove what was built
	rm -rf $(BUILD) $(BINARIES)

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
