# SPDX-License-Identifier: MIT
#
#   make             everything into build/            make demo     search Fashion-MNIST, show the best trial
#   make DEBUG=1     the same with ASan and UBSan      make check    all tests; ONLY=time: files of that name
#   make install     PREFIX=/usr/local DESTDIR=        make bench    speed, as ratios
#   make uninstall   what install put there            make torture  kill -9 of the pipe, KILLS=1000 times
#   make clean

PREFIX  = /usr/local
DESTDIR =
CC      = gcc
BUILD   = build
VERSION = 0.1.0

CFLAGS   = -O3 -g
WARN     = -Wall -Wextra -Werror -Wno-missing-field-initializers
ALL_CFLAGS = -std=c11 -fno-math-errno -fno-trapping-math $(WARN) $(CFLAGS) $(SANITIZE)
CPPFLAGS = -D_GNU_SOURCE -DMB_VERSION='"$(VERSION)"' -Ilib -Icmd -Itest -I$(BUILD)
LDLIBS   = -lyaml -ljansson -lz -lm -ldl

# make V=1 shows the commands.
ifdef V
SHOW = @:
else
Q = @
SHOW = @echo " "
endif

ifdef DEBUG
BUILD    = build/debug
CFLAGS   = -O1 -g -fno-omit-frame-pointer
SANITIZE = -fsanitize=address,undefined -fno-sanitize-recover=undefined
endif

TOOLS = mb-suggest mb-train mb-eval mb-collect mb-deploy mb-time
ROOMS = base data stat opt nn run net

LIB_SRC  := $(foreach room,$(ROOMS),$(wildcard lib/$(room)/*.c))
LIB_OBJ  := $(patsubst %.c,$(BUILD)/obj/%.o,$(filter-out lib/nn/kernel.c,$(LIB_SRC)))
FRONT    := $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard cmd/*.c))
TOOL_SRC := $(foreach tool,$(TOOLS),$(wildcard cmd/$(tool)/*.c))
BINARIES := $(TOOLS:%=$(BUILD)/%)

all: $(BINARIES)
	@:

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(SHOW) CC $<
	$(Q)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# The interpreter's program as the numbers of its bytes, to be part of the binaries.
$(BUILD)/python_server.h: lib/run/python_server.py
	@mkdir -p $(@D)
	$(SHOW) EMBED $<
	$(Q)od -An -v -tu1 $< | sed 's/[0-9][0-9]*/&,/g' >$@.tmp && mv $@.tmp $@

$(BUILD)/obj/lib/run/python.o: $(BUILD)/python_server.h

# The trainer's kernel, once an instruction set: chosen at run time.
KERNEL_FLAGS_plain  =
KERNEL_FLAGS_avx2   = -mavx2 -mfma -ffp-contract=fast
KERNEL_FLAGS_avx512 = -mavx512f -mfma -ffp-contract=fast -mprefer-vector-width=512
KERNELS    := plain $(if $(filter x86_64%,$(shell $(CC) -dumpmachine)),avx2 avx512)
KERNEL_OBJ := $(KERNELS:%=$(BUILD)/obj/lib/nn/kernel-%.o)

$(KERNEL_OBJ): $(BUILD)/obj/lib/nn/kernel-%.o: lib/nn/kernel.c
	@mkdir -p $(@D)
	$(SHOW) CC $< for $*
	$(Q)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -DMB_KERNEL=$* $(KERNEL_FLAGS_$*) -MMD -MP -c -o $@ $<

$(KERNELS:%=$(BUILD)/double/nn/kernel-%.o): $(BUILD)/double/nn/kernel-%.o: lib/nn/kernel.c
	@mkdir -p $(@D)
	$(SHOW) CC $< for $*, in double
	$(Q)$(CC) $(CPPFLAGS) -DMB_DOUBLE $(ALL_CFLAGS) -DMB_KERNEL=$* $(KERNEL_FLAGS_$*) -MMD -MP -c -o $@ $<

$(BUILD)/libmb.a: $(LIB_OBJ) $(KERNEL_OBJ)
	@rm -f $@
	$(SHOW) AR $@
	$(Q)ar rcs $@ $^

define tool_rule
$(BUILD)/$(1): $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard cmd/$(1)/*.c)) $(FRONT) $(BUILD)/libmb.a
	$(SHOW) LD $$@
	$(Q)$(CC) $(ALL_CFLAGS) -o $$@ $$^ $$(LDLIBS)
endef
$(foreach tool,$(TOOLS),$(eval $(call tool_rule,$(tool))))

# Tests. A unit test that knows MB_DOUBLE is built a second time in double, with the trainer in double: to be held to
# PyTorch's float64 numbers.
UNIT       := $(patsubst test/unit/%.c,%,$(wildcard test/unit/test_*.c))
UNIT       += $(patsubst test/unit/%.c,%_double,$(shell grep -ls MB_DOUBLE test/unit/test_*.c))
UNIT_BIN   := $(UNIT:%=$(BUILD)/test/%)
DOUBLE_OBJ := $(patsubst lib/%.c,$(BUILD)/double/%.o,$(filter-out lib/nn/kernel.c,$(wildcard lib/nn/*.c))) $(KERNELS:%=$(BUILD)/double/nn/kernel-%.o)
BENCH      := $(patsubst test/bench/%.c,$(BUILD)/bench/%,$(wildcard test/bench/*.c))

$(BUILD)/double/%.o: lib/%.c
	@mkdir -p $(@D)
	$(SHOW) CC $< in double
	$(Q)$(CC) $(CPPFLAGS) -DMB_DOUBLE $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/test/%_double: test/unit/%.c $(DOUBLE_OBJ) $(BUILD)/libmb.a
	@mkdir -p $(@D)
	$(SHOW) LD $@
	$(Q)$(CC) $(CPPFLAGS) -DMB_DOUBLE $(ALL_CFLAGS) -MMD -MP -MF $@.d -MT $@ -o $@ $< $(DOUBLE_OBJ) $(BUILD)/libmb.a $(LDLIBS)

$(BUILD)/test/%: test/unit/%.c $(BUILD)/libmb.a
	@mkdir -p $(@D)
	$(SHOW) LD $@
	$(Q)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -MF $@.d -MT $@ -o $@ $< $(BUILD)/libmb.a $(LDLIBS)

$(BUILD)/bench/%: test/bench/%.c $(BUILD)/libmb.a
	@mkdir -p $(@D)
	$(SHOW) LD $@
	$(Q)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -MF $@.d -MT $@ -o $@ $< $(BUILD)/libmb.a $(LDLIBS)

units: $(UNIT_BIN)
	@:

PARALLEL = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))

# The plain build runs all tests. What meets wrong input first, the unit tests and the bats files marked so, runs once more
# under the sanitizers, unless they are on already.
BATS      := $(wildcard test/*.bats)
SANITIZED := $(if $(DEBUG),,$(UNIT:%=build/debug/test/%) \
	     $(patsubst %,build/debug:%,$(shell grep -ls '^. sanitizers: too' $(BATS))))

check:
	@share/setup/ensure build run test
	@$(MAKE) --no-print-directory $(PARALLEL) all units
	@$(if $(DEBUG),,$(MAKE) --no-print-directory $(PARALLEL) DEBUG=1 all units)
	@ONLY='$(ONLY)' test/run $(UNIT_BIN) $(BATS:%=$(BUILD):%) $(SANITIZED)

demo:
	@share/setup/ensure build run
	@$(MAKE) --no-print-directory $(PARALLEL) all
	@PATH="$(abspath $(BUILD)):$$PATH" share/examples/fashion-mnist/demo $(DEMO)

# Longer than make check: KILLS times kill -9 of the running pipe.
KILLS = 1000
torture: all
	@MB_BUILD=$(abspath $(BUILD)) MB_KILLS=$(KILLS) bats --tap test/torture.bats

bench:
	@share/setup/ensure build run
	@$(MAKE) --no-print-directory $(PARALLEL) all $(BENCH)
	@export BENCH="$(abspath $(BUILD)/bench)" PATH="$(abspath $(BUILD)):$$PATH"; \
	for bench in $(wildcard test/bench/*.sh); do echo "$$bench"; $$bench || [ $$? = 77 ] || exit; done

# Installation: the same list serves both ways.
BIN_DIR  = $(DESTDIR)$(PREFIX)/bin
MAN_DIR  = $(DESTDIR)$(PREFIX)/share/man
DOC_DIR  = $(DESTDIR)$(PREFIX)/share/doc/mb
CLUSTER_DIR = $(DESTDIR)$(PREFIX)/share/mb/clusters
DOCS     = $(wildcard README.md NEWS.md LICENSE)
CLUSTERS = $(notdir $(wildcard share/clusters/*.yaml))
EXAMPLES = $(patsubst share/%,%,$(wildcard share/examples/*/*))
SECTIONS = 1 5 7

install: all
	install -d $(BIN_DIR) $(DOC_DIR) $(CLUSTER_DIR) $(SECTIONS:%=$(MAN_DIR)/man%) $(addprefix $(DOC_DIR)/,$(sort $(dir $(EXAMPLES))))
	install -m 755 $(BINARIES) $(BIN_DIR)
	for n in $(SECTIONS); do install -m 644 share/man/*.$$n $(MAN_DIR)/man$$n || exit; done
	install -m 644 $(DOCS) $(DOC_DIR)
	install -m 644 $(CLUSTERS:%=share/clusters/%) $(CLUSTER_DIR)
	for file in $(EXAMPLES); do cp -p share/$$file $(DOC_DIR)/$$file || exit; done

uninstall:
	rm -f $(TOOLS:%=$(BIN_DIR)/%)
	rm -f $(foreach n,$(SECTIONS),$(patsubst share/man/%,$(MAN_DIR)/man$(n)/%,$(wildcard share/man/*.$(n))))
	rm -f $(addprefix $(DOC_DIR)/,$(DOCS) $(EXAMPLES)) $(CLUSTERS:%=$(CLUSTER_DIR)/%)
	-rmdir $(addprefix $(DOC_DIR)/,$(sort $(dir $(EXAMPLES)))) $(DOC_DIR)/examples $(DOC_DIR) \
		$(CLUSTER_DIR) $(dir $(CLUSTER_DIR))

clean:
	rm -rf build

-include $(patsubst %.c,$(BUILD)/obj/%.d,$(LIB_SRC) $(TOOL_SRC) $(wildcard cmd/*.c)) $(DOUBLE_OBJ:.o=.d)
-include $(UNIT_BIN:%=%.d) $(BENCH:%=%.d)

.SECONDARY: $(DOUBLE_OBJ)
.PHONY: all units check demo torture bench install uninstall clean
