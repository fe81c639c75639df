# Short names for the few things one does; CMake and Ninja do the work.
# make builds the program, make test the tests as well.
# make run and make test are all that a newcomer needs (README.md).
BUILD    ?= build
PREFIX   ?= /usr/local
CMAKE    ?= cmake
DATA     ?= zan-data
DATASET  ?= data/kuairand
SETTINGS ?=

.PHONY: all build run test bench deep fuzz install clean format docs lint setup-%

all: build

build: $(BUILD)/build.ninja
	$(CMAKE) --build $(BUILD) --target zan

$(BUILD)/build.ninja:
	@scripts/setup run
	$(CMAKE) -S . -B $(BUILD) -G Ninja -DCMAKE_INSTALL_PREFIX=$(PREFIX)

setup-%:
	@scripts/setup $*

# A node on loopback with a real log played through its front door, counters live on the terminal.
run: setup-run build
	$(BUILD)/zan demo --data $(DATA) --data-set $(DATASET) $(SETTINGS)

# Everything that must hold before a change lands; ends with CTest's own closing lines.
test: setup-test
	scripts/check $(BUILD)

# The table of docs/bench.md, beside Redis 7 and PostgreSQL 15, on this machine.
bench: setup-bench build
	/usr/bin/python3 bench/run

# The same tests at their large sizes; hours.
deep: setup-test
	ZAN_DEEP=1 scripts/check $(BUILD) deep

# Each fuzz target for SECONDS.
SECONDS_EACH ?= 60
fuzz: setup-fuzz
	scripts/fuzz $(BUILD)/fuzz $(SECONDS_EACH)

install: build
	$(CMAKE) -S . -B $(BUILD) -DCMAKE_INSTALL_PREFIX=$(PREFIX) >/dev/null
	DESTDIR=$(DESTDIR) $(CMAKE) --install $(BUILD) --prefix $(PREFIX)

clean:
	rm -rf $(BUILD)

format:
	clang-format-14 -i $$(git ls-files '*.c' '*.h')

# What is made from the tables: docs/commands.md, docs/errors.md, the man page, the completions.
docs: build
	scripts/docs $(BUILD)/zan

lint: setup-test
	scripts/arrows
	scripts/lint
