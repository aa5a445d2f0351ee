# SPDX-License-Identifier: MIT
#
#   make             everything into build/            make demo     search Fashion-MNIST, show the best trial
#   make DEBUG=1     the same with ASan and UBSan      make check    all tests
#   make install     PREFIX=/usr/local DESTDIR=        make bench    speed, as ratios        make clean

PREFIX  = /usr/local
DESTDIR =
CC      = gcc
BUILD   = build
VERSION = 0.1.0

CFLAGS   = -O3 -g
WARN     = -Wall -Wextra -Werror
ALL_CFLAGS = -std=c11 -fno-math-errno -fno-trapping-math $(WARN) $(CFLAGS) $(SANITIZE)
CPPFLAGS = -D_GNU_SOURCE -DMB_VERSION='"$(VERSION)"' -Ilib -Icmd -Itest -I$(BUILD)
LDLIBS   = -lyaml -ljansson -lz -lm -ldl

ifdef DEBUG
BUILD    = build/debug
CFLAGS   = -O1 -g -fno-omit-frame-pointer
SANITIZE = -fsanitize=address,undefined -fno-sanitize-recover=undefined
endif

TOOLS = mb-suggest mb-train mb-eval mb-collect mb-deploy mb-time
ROOMS = base data stat opt nn run

LIB_SRC  := $(foreach room,$(ROOMS),$(wildcard lib/$(room)/*.c))
LIB_OBJ  := $(LIB_SRC:%.c=$(BUILD)/obj/%.o)
FRONT    := $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard cmd/*.c))
TOOL_SRC := $(foreach tool,$(TOOLS),$(wildcard cmd/$(tool)/*.c))
BINARIES := $(TOOLS:%=$(BUILD)/%)

all: $(BINARIES)

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/libmb.a: $(LIB_OBJ)
	@rm -f $@
	ar rcs $@ $^

define tool_rule
$(BUILD)/$(1): $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard cmd/$(1)/*.c)) $(FRONT) $(BUILD)/libmb.a
	$(CC) $(ALL_CFLAGS) -o $$@ $$^ $$(LDLIBS)
endef
$(foreach tool,$(TOOLS),$(eval $(call tool_rule,$(tool))))

# The trainer once more in double, to be held to PyTorch's float64 numbers.
DOUBLE_OBJ := $(patsubst lib/%.c,$(BUILD)/double/%.o,$(wildcard lib/nn/*.c))

$(BUILD)/double/%.o: lib/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -DMB_DOUBLE $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/test/%: test/unit/%.c test/unit/check.h $(BUILD)/libmb.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -o $@ $< $(BUILD)/libmb.a $(LDLIBS)

$(BUILD)/test/%_double: test/unit/%.c test/unit/check.h $(DOUBLE_OBJ) $(BUILD)/libmb.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -DMB_DOUBLE $(ALL_CFLAGS) -o $@ $< $(DOUBLE_OBJ) $(BUILD)/libmb.a $(LDLIBS)

$(BUILD)/bench/%: test/bench/%.c $(BUILD)/libmb.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -o $@ $< $(BUILD)/libmb.a $(LDLIBS)

# Milliseconds an epoch: the naive loop, then the trainer.
bench: $(BUILD)/bench/naive $(BUILD)/bench/epoch
	@echo "naive OpenBLAS loop:"; $(BUILD)/bench/naive 15 128
	@echo "trainer:"; $(BUILD)/bench/epoch 15 128

clean:
	rm -rf build

-include $(patsubst %.c,$(BUILD)/obj/%.d,$(LIB_SRC) $(TOOL_SRC) $(wildcard cmd/*.c)) $(DOUBLE_OBJ:.o=.d)

.PHONY: all bench clean
