/* The engine: renders a program's quanta of 64 frames, with the bits of mam's own. It allocates nothing, calls no library,
 * and its work is bounded by the program.
 * SPDX-License-Identifier: 0BSD */

#if defined(__BYTE_ORDER__) && defined(__ORDER_BIG_ENDIAN__)
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#error "the tables of a song are for little-endian processors"
#endif
#endif
#ifdef __FAST_MATH__
#error "-ffast-math changes what the song computes"
#endif

/* Nothing is contracted: a multiplication and an addition are rounded each. */
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#elif defined(__GNUC__)
#pragma GCC optimize("fp-contract=off", "no-tree-loop-distribute-patterns")
#endif

#define QUANTUM 64u
/* -120 dBFS: what is below it is silent. */
#define SILENCE 1e-6f
/* Frames of delay lines that a step which is not finite clears in a quantum, and those that count as around each line. */
#define CLEARED 16384u
#define AROUND 128u

/* Memory that is read as words of one type and written as another. */
#ifdef __GNUC__
typedef uint32_t __attribute__((may_alias)) MamWord;
typedef float __attribute__((may_alias)) MamSingle;
typedef double __attribute__((may_alias)) MamDouble;
/* So that a loop stays a loop: a compiler would call the C library's memset or memcpy for it. */
#define MAM_LOOP __asm__ volatile("" ::: "memory")
#else
typedef uint32_t MamWord;
typedef float MamSingle;
typedef double MamDouble;
#define MAM_LOOP ((void)0)
#endif

/* A parameter: its value, its ramp, and what it does in the part of a quantum that is rendered. */
typedef struct {
    double value, from, to, fall, ratio;
    uint64_t moving, cuts;             /* a bit a frame: where it moves, and where a stretch begins */
    uint32_t frames, done, curve;      /* of the ramp, which is over when done == frames */
    uint32_t filled, touched;
    uint32_t held;                     /* a share that a note has given a value: it does not follow */
} Param;
/* What a step is like between two parts. */
typedef struct {
    uint32_t silent_frames, clearing_line, clearing_at;
    uint8_t stale, silent, failed, waited, clearing, asleep, disturbed, loud;
} StepState;
typedef struct {
    double note, freq, vel;
    uint32_t port, next, offset, on;
} Note;
typedef struct {
    uint64_t mask;
    uint32_t first, last;
} Chain;
/* A note of an instrument: one that a voice holds, or one that is held and waits for a voice. */
typedef struct {
    double key, note, freq, vel;
    uint32_t stamp, holds, id;
    uint32_t values;                   /* of numbers: what it gives to its voice's shares; or MAM_NONE */
    uint32_t target, reserved;
} Held;
#define HOLDS_SCORE 1u
#define HOLDS_HOST 2u
/* An event that waits: a set (what < MAM_ON), a note, or the end of one. */
typedef struct {
    uint64_t frame;
    double value, vel;
    uint32_t what, ramp;
} Waiting;
/* A place in the score. */
typedef struct {
    uint64_t start;                    /* the frame at which its pass begins */
    uint32_t next, pass;
    uint32_t rest, reserved;           /* parts of a frame by which the pass begins later, and a half */
} Cursor;

/* Not more than this on any processor. */
#define MAM_ENGINE_BYTES 512u
typedef struct MamEngine {
    MamProgram const* p;
    uint64_t position;
    uint64_t passes_end;               /* passes that are played; MAM_NONE for no end */
    uint64_t forgotten;                /* of the notes that end before this frame, none waits for a voice */
    Cursor main, over;
    uint32_t waits, waiting, notes, touched, ramping, stamp, part_start, silent, eventful, release;
    unsigned char* state;
    float *lines, *buffers, *scratch;
    double *exact, *values;
    Param* params;
    uint32_t *touched_list, *ramping_list;
    StepState* steps;
    MamPort* ports;
    uint8_t* awake;
    uint8_t* monitors;
    Note* note;
    Chain* chains;
    Held *held, *wait;
    Waiting* queue;
    float** delay_table;
    float const** moving_table;
    float const** input_table;
    float** output_table;
} MamEngine;

#ifndef MAM_ENGINE_API
#define MAM_ENGINE_API
MamEngine* mam_engine_init(MamProgram const*, void*);
void mam_engine_process(MamEngine*, float const* const*, float* const*, uint32_t);
int mam_engine_set(MamEngine*, uint32_t, double, uint32_t, uint32_t);
int mam_engine_note_on(MamEngine*, uint32_t, double, double, uint32_t);
int mam_engine_note_off(MamEngine*, uint32_t, double, uint32_t);
int mam_engine_silent(MamEngine const*);
void mam_engine_score(MamEngine*, uint32_t);
#endif

/* Flush to zero is part of what a song computes: the processor is set so while the engine runs, and set back. */
#if defined(__GNUC__) && (defined(__x86_64__) || defined(__SSE__))
static uint32_t flushing_begin(void) {
    uint32_t old = __builtin_ia32_stmxcsr();
    __builtin_ia32_ldmxcsr((old & ~0x6000u) | 0x8040u | 0x1f80u);
    return old;
}
static void flushing_end(uint32_t old) { __builtin_ia32_ldmxcsr(old); }
#elif defined(__GNUC__) && defined(__aarch64__)
static uint32_t flushing_begin(void) {
    uint64_t old;
    __asm__ volatile("mrs %0, fpcr" : "=r"(old));
    __asm__ volatile("msr fpcr, %0" : : "r"((uint64_t)0x1000000));
    return (uint32_t)old;
}
static void flushing_end(uint32_t old) { __asm__ volatile("msr fpcr, %0" : : "r"((uint64_t)old)); }
#elif defined(__GNUC__) && defined(__arm__) && defined(__ARM_FP)
static uint32_t flushing_begin(void) {
    uint32_t old;
    __asm__ volatile("vmrs %0, fpscr" : "=r"(old));
    __asm__ volatile("vmsr fpscr, %0" : : "r"((old & ~0xc00000u) | 0x1000000u));
    return old;
}
static void flushing_end(uint32_t old) { __asm__ volatile("vmsr fpscr, %0" : : "r"(old)); }
#else
static uint32_t flushing_begin(void) { return 0; }
static void flushing_end(uint32_t old) { (void)old; }
#endif

/* Memory */

static void clear(float* at, uint32_t frames) {
    uint32_t i;
    for (i = 0; i < frames; i++) {
        at[i] = 0.0f;
        MAM_LOOP;
    }
}

/* Gives bytes of the state, whole words, their first values. */
static void restore(MamEngine* e, uint32_t first, uint32_t last) {
    uint32_t i;
    for (i = first / 4; i < last / 4; i++) {
        ((MamWord*)e->state)[i] = e->p->image[i];
        MAM_LOOP;
    }
}

static float const* silence_of(MamEngine const* e) { return e->buffers + e->p->buffers * QUANTUM; }

static float* line_of(MamEngine const* e, uint32_t line) {
    return e->lines + e->p->line[line].at + (2 * line + 1) * e->p->guard;
}

static uint32_t single_bits(float const* at) { return *(MamWord const*)at; }

static int is_finite_bits(uint32_t bits) { return (bits & 0x7f800000u) != 0x7f800000u; }

static int single_is_silent(float x) { return x < SILENCE && x > -SILENCE; }

static int are_silent(float const* at, uint32_t frames) {
    uint32_t i;
    for (i = 0; i < frames; i++)
        if (!single_is_silent(at[i])) return 0;
    return 1;
}

/* 2 to the power of x, to the last place or the one before. */
static double exp2_of(double x) {
    static double const factors[] = {
        0x1.62e42fefa39efp-1, 0x1.ebfbdff82c58fp-3, 0x1.c6b08d704a0c6p-5, 0x1.3b2ab6fba4e79p-7,
        0x1.5d87fe78a3f9cp-10, 0x1.430912f86b7dbp-13, 0x1.ffcbfc6da6ed1p-17, 0x1.62c02242b879cp-20,
        0x1.b524ebd13a55fp-24, 0x1.e4cf10dec0f59p-28, 0x1.e9ec1fcb69a7fp-32, 0x1.c4a29324a1038p-36};
    double whole, f, p = factors[11], up;
    int i, n;
    if (!(x > -1000.0)) return 0.0;
    if (x > 1000.0) x = 1000.0;
    n = (int)x;
    whole = (double)n;
    if (x - whole > 0.5) whole += 1.0;
    if (x - whole < -0.5) whole -= 1.0;
    n = (int)whole;
    f = x - whole;
    for (i = 10; i >= 0; i--) p = p * f + factors[i];
    p = 1.0 + f * p;
    up = n < 0 ? 0.5 : 2.0;
    for (n = n < 0 ? -n : n; n > 0; n >>= 1, up *= up)
        if (n & 1) p *= up;
    return p;
}

/* Parameters */

static double nearest(double value, double min, double max) {
    value = value < max ? value : max;
    return value > min ? value : min;
}

/* 1/(1 - e^-3), which brings the exponential curve to 1 at its end. */
#define EXP_SCALE 1.052395696491256

/* The next value of a ramp, exactly the target at its end. */
static double ramp_next(Param* param) {
    double way;
    param->done++;
    param->fall *= param->ratio;
    if (param->done >= param->frames) return param->to;
    way = param->curve == MAM_EXP ? (1.0 - param->fall) * EXP_SCALE
                                  : (double)param->done / (double)param->frames;
    return param->from + (param->to - param->from) * way;
}

static void params_touch(MamEngine* e, uint32_t index) {
    Param* param = &e->params[index];
    if (param->touched) return;
    param->touched = 1;
    param->filled = e->part_start;
    e->touched_list[e->touched++] = index;
}

/* Fills the track up to a frame; marks where it moves and where a ramp has ended. */
static void params_fill(MamEngine* e, uint32_t index, uint32_t end) {
    Param* param = &e->params[index];
    double* track = e->exact + index * QUANTUM;
    uint32_t at = param->filled;
    while (at < end) {
        uint32_t left = param->frames - param->done, stop = end, i;
        if (left > 0 && left < end - at) stop = at + left;
        for (i = at; i < stop; i++) {
            if (left > 0) param->value = ramp_next(param);
            track[i] = param->value;
            MAM_LOOP;
        }
        if (left > 0) {
            param->moving |= (~(uint64_t)0 >> (QUANTUM - (stop - at))) << at;
            if (stop < end) param->cuts |= (uint64_t)1 << stop;
        }
        at = stop;
    }
    if (end > param->filled) param->filled = end;
}

static void params_begin(MamEngine* e, uint32_t start) {
    uint32_t i;
    e->part_start = start;
    for (i = 0; i < e->touched; i++) {
        Param* param = &e->params[e->touched_list[i]];
        param->touched = 0;
        param->moving = param->cuts = 0;
    }
    e->touched = 0;
    while (e->ramping > 0) params_touch(e, e->ramping_list[--e->ramping]);
}

static void params_end(MamEngine* e, uint32_t end) {
    uint32_t i;
    for (i = 0; i < e->touched; i++) {
        uint32_t index = e->touched_list[i];
        params_fill(e, index, end);
        if (e->params[index].done < e->params[index].frames) e->ramping_list[e->ramping++] = index;
    }
}

/* A parameter goes to a value from a frame on. `ratio` is what an exponential ramp falls by in a frame; 0 where it is to be
 * computed. */
static void params_set_one(MamEngine* e, uint32_t index, uint32_t offset, double value, uint32_t ramp, uint32_t curve,
                           double ratio) {
    MamParam const* spec = &e->p->param[index];
    Param* param = &e->params[index];
    double to;
    to = nearest(value, spec->min, spec->max);
    params_touch(e, index);
    params_fill(e, index, offset);
    if (curve == MAM_OWN_CURVE) curve = spec->curve;
    if (spec->curve == MAM_STEP) {
        ramp = 0;
    } else if (ramp == 0) {
        ramp = spec->smooth;
        curve = MAM_LINEAR;
    } else if (curve == MAM_STEP) {
        ramp = 0;
    }
    if (ramp == 0) param->value = to;
    param->from = param->value;
    param->to = to;
    param->frames = ramp;
    param->done = 0;
    param->curve = curve;
    param->fall = param->ratio = 1.0;
    if (curve == MAM_EXP && ramp > 0)
        param->ratio = ratio > 0.0 ? ratio : exp2_of(-4.328085122666891 / (double)ramp);
    param->cuts |= (uint64_t)1 << offset;
}

/* The same, with the voices' shares of it that follow it. */
static void params_set(MamEngine* e, uint32_t index, uint32_t offset, double value, uint32_t ramp, uint32_t curve,
                       double ratio) {
    uint32_t i;
    if (value != value) return;
    params_set_one(e, index, offset, value, ramp, curve, ratio);
    if (e->p->shares == 0) return;
    for (i = 0; i < e->p->shares[index].shares.count; i++) {
        uint32_t share = e->p->pool[e->p->shares[index].shares.at + i];
        if (!e->params[share].held) params_set_one(e, share, offset, value, ramp, curve, ratio);
    }
}

/* A note gives a voice's share of a parameter a value from a frame on, or lets it follow its parameter again. */
static void params_hold(MamEngine* e, uint32_t index, uint32_t offset, int given, double value) {
    MamParam const* spec = &e->p->param[index];
    Param *param = &e->params[index], *base = &e->params[e->p->shares[index].follows];
    if (value != value) given = 0;
    if (!given && !param->held) return;
    params_touch(e, index);
    params_fill(e, index, offset);
    if (base->touched) params_fill(e, e->p->shares[index].follows, offset);
    if (given) {
        param->value = nearest(value, spec->min, spec->max);
        param->frames = param->done = 0;
    } else {
        param->value = base->value;
        param->from = base->from;
        param->to = base->to;
        param->fall = base->fall;
        param->ratio = base->ratio;
        param->frames = base->frames;
        param->done = base->done;
        param->curve = base->curve;
    }
    param->held = (uint32_t)given;
    param->cuts |= (uint64_t)1 << offset;
}

/* What a note that begins on a voice says of the voice's shares; `values` is 0 where it says nothing. */
static void params_of_note(MamEngine* e, MamTarget const* target, uint32_t voice, uint32_t offset, double const* values) {
    uint32_t i, all = target->own.count;
    for (i = 0; i * target->voices.count < all; i++) {
        uint32_t share = e->p->pool[target->own.at + i * target->voices.count + voice];
        if (share == MAM_NONE) continue;
        params_hold(e, share, offset, values != 0 && values[2 * i] != 0.0, values != 0 ? values[2 * i + 1] : 0.0);
    }
}

static double params_value(MamEngine const* e, uint32_t index, uint32_t offset) {
    Param const* param = &e->params[index];
    return param->touched ? e->exact[index * QUANTUM + offset] : param->value;
}

/* Rounded once, a subnormal flushed to 0: what a kernel reads frame by frame. */
static float single_of(double value) {
    float x = (float)value;
    return (single_bits(&x) & 0x7f800000u) == 0 && value != 0.0 ? 0.0f : x;
}

/* Notes */

static void notes_begin(MamEngine* e) {
    uint32_t i;
    for (i = 0; i < e->notes; i++) {
        Chain* chain = &e->chains[e->note[i].port];
        chain->first = chain->last = MAM_NONE;
        chain->mask = 0;
    }
    e->notes = 0;
}

static Note* notes_push(MamEngine* e, uint32_t port, uint32_t offset, uint32_t on) {
    Chain* chain = &e->chains[port];
    Note* note = &e->note[e->notes];
    note->port = port;
    note->offset = offset;
    note->on = on;
    note->next = MAM_NONE;
    if (chain->last == MAM_NONE)
        chain->first = e->notes;
    else
        e->note[chain->last].next = e->notes;
    chain->last = e->notes++;
    chain->mask |= (uint64_t)1 << offset;
    return note;
}

static void push_on(MamEngine* e, uint32_t port, uint32_t offset, double note, double freq, double vel) {
    Note* on = notes_push(e, port, offset, 1);
    on->note = note;
    on->freq = freq;
    on->vel = vel;
}

/* Whether a note plays in the place of another where its instrument holds more than it has voices. */
static int beats(MamTarget const* to, Held const* note, Held const* other) {
    double higher = to->priority == MAM_LAST ? 0.0 : note->note - other->note;
    if (to->priority == MAM_LOW) higher = -higher;
    return higher != 0.0 ? higher > 0.0 : note->stamp > other->stamp;
}

/* Whether a note is the one that the score (by `id`) or the host (by `key`) means. */
static int is_meant(Held const* held, uint32_t holds, uint32_t id, double key) {
    return held->holds == holds && (holds == HOLDS_SCORE ? held->id == id || id == MAM_NONE : held->key == key);
}

/* Notes of an instrument do not wait any longer; all of the score's where `id` is MAM_NONE. */
static void forget(MamEngine* e, uint32_t target, uint32_t holds, uint32_t id, double key) {
    uint32_t i, left = 0;
    for (i = 0; i < e->waits; i++) {
        if (e->wait[i].target == target && is_meant(&e->wait[i], holds, id, key)) continue;
        e->wait[left++] = e->wait[i];
        MAM_LOOP;
    }
    e->waits = left;
}

/* A note waits for a voice; of too many, the one that would play last is forgotten. */
static void wait_for_voice(MamEngine* e, Held const* note) {
    MamTarget const* to = &e->p->target[note->target];
    uint32_t i, count = 0, least = MAM_NONE;
    for (i = 0; i < e->waits; i++) {
        if (e->wait[i].target != note->target) continue;
        count++;
        if (least == MAM_NONE || beats(to, &e->wait[least], &e->wait[i])) least = i;
    }
    if (count < MAM_WAITING) least = e->waits++;
    e->wait[least] = *note;
}

/* A note begins on a voice, whatever that held before. */
static void start_note(MamEngine* e, Held const* note, uint32_t voice, uint32_t offset) {
    MamTarget const* to = &e->p->target[note->target];
    uint32_t port = e->p->pool[to->voices.at + voice];
    params_of_note(e, to, voice, offset, note->values == MAM_NONE ? 0 : e->p->numbers + note->values);
    push_on(e, port, offset, note->note, note->freq, note->vel);
    if (to->monitor != MAM_NONE) push_on(e, to->monitor, offset, note->note, note->freq, note->vel);
    e->monitors[note->target] = 1;
    e->held[port] = *note;
}

/* A note begins: on the voice that was released longest ago, else on that of the oldest note, or of the one that an instrument
 * with a priority wants least; there the note waits if it is wanted even less. A host's note that is held begins again on its
 * own voice, and gives no values to it. */
static void begin_note(MamEngine* e, Held* note, uint32_t offset) {
    MamTarget const* to = &e->p->target[note->target];
    uint32_t const* ports = e->p->pool + to->voices.at;
    uint32_t best_rank = 0, best_stamp = 0, voice = MAM_NONE, i;
    note->stamp = ++e->stamp;
    if (note->holds == HOLDS_HOST) forget(e, note->target, HOLDS_HOST, 0, note->key);
    for (i = 0; i < to->voices.count; i++) {
        Held const* held = &e->held[ports[i]];
        int same = note->holds == HOLDS_HOST && held->holds == HOLDS_HOST && held->key == note->key;
        uint32_t rank = same ? 0 : held->holds == 0 ? 1 : 2;
        if (voice == MAM_NONE || rank < best_rank || (rank == best_rank && held->stamp < best_stamp)) {
            voice = i;
            best_rank = rank;
            best_stamp = held->stamp;
        }
    }
    if (voice == MAM_NONE) {
        if (to->monitor != MAM_NONE) push_on(e, to->monitor, offset, note->note, note->freq, note->vel);
        e->monitors[note->target] = 1;
        return;
    }
    if (to->priority != 0 && best_rank == 2) {
        voice = 0;
        for (i = 1; i < to->voices.count; i++)
            if (beats(to, &e->held[ports[voice]], &e->held[ports[i]])) voice = i;
        if (!beats(to, note, &e->held[ports[voice]])) {
            wait_for_voice(e, note);
            return;
        }
        wait_for_voice(e, &e->held[ports[voice]]);
    }
    start_note(e, note, voice, offset);
}

/* The note of a voice ends; the one that is wanted most of those that wait returns on it, without a pause. */
static void end_voice(MamEngine* e, uint32_t target, uint32_t voice, uint32_t offset) {
    MamTarget const* to = &e->p->target[target];
    uint32_t port = e->p->pool[to->voices.at + voice], next = MAM_NONE, i;
    for (i = 0; i < e->waits; i++)
        if (e->wait[i].target == target && (next == MAM_NONE || beats(to, &e->wait[i], &e->wait[next]))) next = i;
    if (next == MAM_NONE) {
        e->held[port].holds = 0;
        e->held[port].stamp = e->stamp;
        notes_push(e, port, offset, 0);
    } else {
        start_note(e, &e->wait[next], voice, offset);
        e->wait[next] = e->wait[--e->waits];
    }
}

/* The notes of an instrument end that the score (by `id`) or the host (by `key`) has begun. */
static void end_note(MamEngine* e, uint32_t target, uint32_t offset, uint32_t holds, uint32_t id, double key) {
    MamTarget const* to = &e->p->target[target];
    uint32_t const* ports = e->p->pool + to->voices.at;
    uint32_t i, left = 0;
    e->stamp++;
    forget(e, target, holds, id, key);
    for (i = 0; i < to->voices.count; i++) {
        if (is_meant(&e->held[ports[i]], holds, id, key)) end_voice(e, target, i, offset);
        left += e->held[ports[i]].holds != 0;
    }
    if (e->monitors[target] && left == 0) {
        e->monitors[target] = 0;
        if (to->monitor != MAM_NONE) notes_push(e, to->monitor, offset, 0);
    }
}

/* The pitch of a key in the song's tuning, and its frequency in Hz. */
static void pitch_of(MamProgram const* p, double key, double* number) {
    double pitch = key;
    int below = key > 0.0 ? (key < 127.0 ? (int)key : 127) : 0;
    if (p->tuning != 0) {
        int low = below < 126 ? below : 126;
        pitch = p->tuning[low] + (key - (double)low) * (p->tuning[low + 1] - p->tuning[low]);
    }
    number[0] = pitch;
    number[1] = (double)below == key ? p->keys[below] : 440.0 * exp2_of((pitch - 69.0) / 12.0);
}

/* Events */

/* The frame of the next event at a place of the score, or the end of time. */
static uint64_t cursor_frame(MamEngine const* e, Cursor const* at, uint32_t end) {
    return at->next < end ? at->start + e->p->event[at->next].frame : ~(uint64_t)0;
}

/* The pass that a cursor is in. */
static MamPass const* pass_of(MamEngine const* e, Cursor const* at) {
    uint32_t last = e->p->passes - 1;
    return &e->p->pass[at->pass < last ? at->pass : last];
}

/* A cursor goes on to the next pass. */
static void go_on(MamEngine const* e, Cursor* at) {
    MamPass const* pass = pass_of(e, at);
    uint64_t rest = (uint64_t)at->rest + pass->rest;
    at->start += pass->frames;
    if (rest >= e->p->parts) {
        rest -= e->p->parts;
        at->start++;
    }
    at->rest = (uint32_t)rest;
    at->pass++;
}

/* A pass of the score has no more events of its own: the next one begins, if there is one. */
static void next_pass(MamEngine* e) {
    MamPass const* pass = pass_of(e, &e->main);
    int is_empty = pass->over == pass->first && e->main.pass + 1 >= e->p->passes;
    if (is_empty || pass->frames == 0) return;
    if (e->main.next >= pass->over && (uint64_t)e->main.pass + 1 < e->passes_end) {
        go_on(e, &e->main);
        e->main.next = pass_of(e, &e->main)->first;
    }
    while (e->over.next >= pass_of(e, &e->over)->end && e->over.pass < e->main.pass) {
        go_on(e, &e->over);
        e->over.next = pass_of(e, &e->over)->over;
    }
}

/* The score begins at a frame. */
static void begin_score(MamEngine* e, uint64_t frame) {
    e->main.start = e->over.start = frame;
    e->main.pass = e->over.pass = 0;
    e->main.rest = e->over.rest = e->p->parts / 2;
    e->main.next = e->p->pass[0].first;
    e->over.next = e->p->pass[0].over;
}

/* The notes end that the score has begun. */
static void release_score(MamEngine* e, uint32_t offset) {
    uint32_t target;
    e->release = 0;
    for (target = 0; target < e->p->targets; target++) end_note(e, target, offset, HOLDS_SCORE, MAM_NONE, 0.0);
}

/* A note of an instrument, of its pitch, frequency and velocity. */
static Held note_of(uint32_t target, double const* number, uint32_t holds) {
    Held note;
    note.key = 0.0;
    note.note = number[0];
    note.freq = number[1];
    note.vel = number[2];
    note.stamp = note.id = note.reserved = 0;
    note.holds = holds;
    note.values = MAM_NONE;
    note.target = target;
    return note;
}

/* What the score ends at a frame does not return for what ends there as well. */
static void forget_ending(MamEngine* e, Cursor const* at, uint32_t end, uint64_t frame) {
    uint32_t i;
    for (i = at->next; i < end && at->start + e->p->event[i].frame == frame; i++) {
        uint32_t what = e->p->event[i].what, on = what >> 3;
        if ((what & 7u) == MAM_ON) break;
        if ((what & 7u) == MAM_OFF)
            forget(e, e->p->event[on].what >> 3, HOLDS_SCORE, at->pass * e->p->score + on, 0.0);
    }
}

static void apply_score(MamEngine* e, Cursor* at, uint32_t offset) {
    MamProgram const* p = e->p;
    MamEvent const* event = &p->event[at->next];
    double const* number = p->numbers + event->number;
    uint32_t what = event->what & 7u, index = event->what >> 3;
    if (what == MAM_ON) {
        Held note = note_of(index, number, HOLDS_SCORE);
        note.id = at->pass * p->score + at->next;
        note.values = event->number + 3;
        begin_note(e, &note, offset);
    } else if (what == MAM_OFF) {
        uint64_t frame = at->start + event->frame;
        if (frame >= e->forgotten) {
            forget_ending(e, &e->over, pass_of(e, &e->over)->end, frame);
            forget_ending(e, &e->main, pass_of(e, &e->main)->over, frame);
            e->forgotten = frame + 1;
        }
        end_note(e, p->event[index].what >> 3, offset, HOLDS_SCORE, at->pass * p->score + index, 0.0);
    } else {
        params_set(e, index, offset, number[0], event->ramp, what, number[1]);
    }
    at->next++;
}

static void apply_waiting(MamEngine* e, uint32_t offset) {
    Waiting event = e->queue[0];
    uint32_t what = event.what & 7u, index = event.what >> 3, i;
    double number[3];
    e->waiting--;
    for (i = 0; i < e->waiting; i++) {
        e->queue[i] = e->queue[i + 1];
        MAM_LOOP;
    }
    if (what == MAM_ON) {
        Held note;
        pitch_of(e->p, event.value, number);
        number[2] = event.vel;
        note = note_of(index, number, HOLDS_HOST);
        note.key = event.value;
        begin_note(e, &note, offset);
    } else if (what == MAM_OFF) {
        end_note(e, index, offset, HOLDS_HOST, 0, event.value);
    } else {
        params_set(e, index, offset, event.value, event.ramp, what, 0.0);
    }
}

/* Takes what happens before a frame: what a pass before has left first, then the score, then what the host has sent. */
static void take_events(MamEngine* e, uint64_t quantum, uint32_t start, uint32_t end) {
    params_begin(e, start);
    notes_begin(e);
    if (e->release) release_score(e, start);
    while (e->notes + 2 * e->p->most_voices + 2 <= e->p->notes) {
        uint64_t first = ~(uint64_t)0, frame;
        Cursor* from = 0;
        uint32_t offset = start;
        next_pass(e);
        if (e->passes_end > 0) {
            first = cursor_frame(e, &e->over, pass_of(e, &e->over)->end);
            from = &e->over;
            frame = cursor_frame(e, &e->main, pass_of(e, &e->main)->over);
            if (frame < first) {
                first = frame;
                from = &e->main;
            }
        }
        if (e->waiting > 0 && e->queue[0].frame < first) {
            first = e->queue[0].frame;
            from = 0;
        }
        if (first >= quantum + end) break;
        if (first > quantum + start) offset = (uint32_t)(first - quantum);
        if (from != 0)
            apply_score(e, from, offset);
        else
            apply_waiting(e, offset);
    }
    params_end(e, end);
    e->eventful = e->touched > 0 || e->notes > 0;
}

/* Steps */

static int all_asleep(MamEngine const* e, MamStep const* step) {
    uint32_t i;
    if (step->voices == 0) return 0;
    for (i = 0; i < step->voices; i++)
        if (e->awake[step->first_voice + i]) return 0;
    return 1;
}

static int is_due(StepState const* s) { return s->waited && !s->clearing; }

/* Whether what comes from somewhere is silent: nothing, a channel of the input, or a step. */
static int is_silent_origin(MamEngine const* e, uint32_t origin) {
    if (origin == MAM_NONE) return 1;
    return origin >= e->p->inputs && e->steps[origin - e->p->inputs].silent;
}

static int has_event(MamEngine const* e, MamStep const* step) {
    uint32_t i;
    if (!e->eventful) return 0;
    for (i = 0; i < step->params.count; i++) {
        Param const* param = &e->params[e->p->pool[step->params.at + i] >> 1];
        if ((param->moving | param->cuts) != 0) return 1;
    }
    for (i = 0; i < step->ports; i++)
        if (e->chains[e->p->port[step->first_port + i].port].mask != 0) return 1;
    return 0;
}

/* Begins a part of a quantum for a step: whether it is silent all through. */
static void step_begin(MamEngine* e, uint32_t index, int is_first) {
    MamStep const* step = &e->p->step[index];
    StepState* s = &e->steps[index];
    uint32_t i, count = step->inputs.count / 2;
    int hears = 0, event = has_event(e, step), disturbed;
    for (i = 0; i < count; i++) hears |= !is_silent_origin(e, e->p->pool[step->inputs.at + count + i]);
    disturbed = hears || event;
    if (s->asleep && disturbed) s->stale = 1;
    s->disturbed = (uint8_t)(disturbed || (s->disturbed && !is_first));
    if (disturbed) {
        s->asleep = 0;
        s->silent_frames = 0;
    }
    s->silent = (uint8_t)(s->asleep || ((all_asleep(e, step) || s->failed) && !event && !is_due(s)));
}

static void call(MamEngine* e, uint32_t index, MamKernel* kernel, int form, uint64_t quantum, uint32_t start,
                 uint32_t end) {
    MamProgram const* p = e->p;
    MamStep const* step = &p->step[index];
    uint32_t const* pool = p->pool;
    uint32_t i, k, count = step->inputs.count / 2;
    MamCall c;
    if (form != 1)
        for (i = 0; i < step->params.count; i++) {
            uint32_t param = pool[step->params.at + i] >> 1;
            e->values[i] = params_value(e, param, start);
            if (form == 2) {
                float* frames = e->scratch + i * QUANTUM;
                for (k = start; k < end; k++) {
                    frames[k - start] = single_of(params_value(e, param, k));
                    MAM_LOOP;
                }
                e->moving_table[i] = frames;
            }
        }
    for (i = 0; i < step->delays.count; i++) e->delay_table[i] = line_of(e, pool[step->delays.at + i] >> 1);
    for (i = 0; i < count; i++) {
        int silent = is_silent_origin(e, pool[step->inputs.at + count + i]);
        e->input_table[i] =
            (silent ? silence_of(e) : e->buffers + pool[step->inputs.at + i] * QUANTUM) + start;
    }
    for (i = 0; i < step->outputs.count; i++)
        e->output_table[i] = e->buffers + pool[step->outputs.at + i] * QUANTUM + start;
    c.state = e->state + step->state;
    c.delays = e->delay_table;
    c.params = e->values;
    c.moving = e->moving_table;
    c.inputs = e->input_table;
    c.outputs = e->output_table;
    c.ports = e->ports + step->first_port;
    c.frame = (uint32_t)(quantum + start);
    c.frames = end - start;
    kernel(&c);
}

/* A note wakes the voices of a port that sleep: they start from their first state. */
static void wake(MamEngine* e, uint32_t index, uint32_t port) {
    MamProgram const* p = e->p;
    MamStep const* step = &p->step[index];
    uint32_t i, k;
    if (!e->ports[step->first_port + port].active) e->ports[step->first_port + port].trig |= MAM_FRESH;
    e->ports[step->first_port + port].active = 1;
    for (i = 0; i < step->voices; i++) {
        MamVoice const* voice = &p->voice[step->first_voice + i];
        if (voice->port != port || e->awake[step->first_voice + i]) continue;
        e->awake[step->first_voice + i] = 1;
        for (k = 0; k < voice->bytes.count; k += 2)
            restore(e, step->state + p->pool[voice->bytes.at + k], step->state + p->pool[voice->bytes.at + k + 1]);
        for (k = 0; k < voice->delays; k++) {
            uint32_t line = p->pool[step->delays.at + voice->first_delay + k] >> 1;
            clear(line_of(e, line) - p->guard, p->line[line].frames + 2 * p->guard);
        }
    }
}

/* Takes the notes of a frame. Whether one began. */
static int hear(MamEngine* e, uint32_t index, uint32_t at) {
    MamStep const* step = &e->p->step[index];
    StepState* s = &e->steps[index];
    int began = 0;
    uint32_t i, next;
    for (i = 0; i < step->ports; i++) {
        MamPort* port = &e->ports[step->first_port + i];
        for (next = e->chains[e->p->port[step->first_port + i].port].first; next != MAM_NONE;
             next = e->note[next].next) {
            Note const* note = &e->note[next];
            if (note->offset != at) continue;
            if (!note->on) {
                port->gate = 0;
                continue;
            }
            if (port->trig == 0 && port->gate) port->trig = MAM_SLUR;
            port->trig |= MAM_TRIG;
            port->gate = 1;
            port->note = note->note;
            port->freq = note->freq;
            port->vel = note->vel;
            s->waited = s->failed && s->clearing;
            s->failed = s->failed && s->waited;
            if (!s->failed) {
                began = 1;
                wake(e, index, i);
            }
        }
    }
    return began;
}

/* Renders a stretch in which nothing begins after its first frame. */
static void stretch(MamEngine* e, uint32_t index, uint64_t quantum, uint32_t start, uint32_t end, int general) {
    MamStep const* step = &e->p->step[index];
    StepState* s = &e->steps[index];
    MamForms const* forms = &e->p->kernels[step->kernel];
    uint32_t i;
    if (all_asleep(e, step) || s->asleep || s->failed) {
        if (s->silent) return;
        for (i = 0; i < step->outputs.count; i++)
            clear(e->buffers + e->p->pool[step->outputs.at + i] * QUANTUM + start, end - start);
    } else if (general) {
        call(e, index, forms->general, 2, quantum, start, end);
        for (i = 0; i < step->ports; i++) e->ports[step->first_port + i].trig = 0;
    } else {
        if (s->stale) {
            s->stale = 0;
            call(e, index, forms->setup, 0, quantum, start, end);
        }
        call(e, index, forms->steady, 1, quantum, start, end);
    }
}

static uint32_t next_bit(uint64_t bits, uint32_t at) {
    for (at++; at < QUANTUM && (bits >> at & 1) == 0; at++) {
    }
    return at;
}

/* Renders some frames of the quantum, cut where something of the step's changes. */
static void run(MamEngine* e, uint32_t index, uint64_t quantum, uint32_t start, uint32_t end) {
    MamProgram const* p = e->p;
    MamStep const* step = &p->step[index];
    StepState* s = &e->steps[index];
    uint64_t moving = 0, cuts = 0, single = 0, noted = 0, bounds;
    int due = start == 0 && is_due(s);
    uint32_t i, at;
    if (e->eventful) {
        for (i = 0; i < step->params.count; i++) {
            uint32_t entry = p->pool[step->params.at + i];
            Param const* param = &e->params[entry >> 1];
            moving |= param->moving;
            cuts |= param->cuts;
            if (entry & 1u) single |= param->moving;
        }
        for (i = 0; i < step->ports; i++) noted |= e->chains[p->port[step->first_port + i].port].mask;
    }
    if ((moving | cuts | noted) == 0 && !due) {
        stretch(e, index, quantum, start, end, 0);
        return;
    }
    if (due) {
        s->failed = s->waited = 0;
        for (i = 0; i < step->ports; i++)
            if (e->ports[step->first_port + i].trig) wake(e, index, i);
    }
    bounds = cuts | noted | (moving ^ (moving << 1)) | single | (single << 1);
    for (at = start; at < end;) {
        int began = (noted >> at & 1) != 0 && hear(e, index, at), moves = (moving >> at & 1) != 0;
        uint32_t stop;
        if (due && at == 0) began = 1;
        if (moves || ((cuts | noted) >> at & 1) != 0) s->stale = 1;
        stop = began && !moves ? at + 1 : next_bit(bounds, at);
        if (stop > end) stop = end;
        stretch(e, index, quantum, at, stop, began || moves);
        at = stop;
    }
}

/* What is not finite never leaves a step */

static void clear_lines(MamEngine* e, uint32_t index) {
    MamProgram const* p = e->p;
    MamStep const* step = &p->step[index];
    StepState* s = &e->steps[index];
    uint32_t left = CLEARED;
    if (!s->clearing) return;
    while (s->clearing_line < step->delays.count && left > 0) {
        uint32_t at = p->pool[step->delays.at + s->clearing_line], line = at >> 1;
        /* One that is borrowed is another step's. */
        uint32_t whole = at & 1u ? 0 : p->line[line].frames + 2 * AROUND;
        uint32_t some = left < whole - s->clearing_at ? left : whole - s->clearing_at;
        uint32_t first = s->clearing_at, last = first + some;
        uint32_t room = AROUND - p->guard;
        first = first < room ? room : first;
        last = last > whole - room ? whole - room : last;
        if (whole > 0 && first < last) clear(line_of(e, line) + first - AROUND, last - first);
        s->clearing_at += some;
        left -= some;
        if (s->clearing_at == whole) {
            s->clearing_line++;
            s->clearing_at = 0;
        }
    }
    s->clearing = s->clearing_line < step->delays.count;
}

/* Whether a byte of the state belongs to a voice that sleeps. */
static int is_sleeper(MamEngine const* e, MamStep const* step, uint32_t byte) {
    MamProgram const* p = e->p;
    uint32_t i, k;
    for (i = 0; i < step->voices; i++) {
        MamVoice const* voice = &p->voice[step->first_voice + i];
        for (k = 0; k < voice->bytes.count; k += 2)
            if (byte - step->state >= p->pool[voice->bytes.at + k] &&
                byte - step->state < p->pool[voice->bytes.at + k + 1])
                return !e->awake[step->first_voice + i];
    }
    return 0;
}

/* Whether the states are finite, but for those of voices that sleep, which then return to their first values. */
static int states_are_finite(MamEngine* e, MamStep const* step) {
    MamProgram const* p = e->p;
    MamWord const* words = (MamWord const*)e->state;
    uint32_t i, k, byte, found = 0;
    for (i = 0; i < step->singles.count; i += 2)
        for (byte = p->pool[step->singles.at + i]; byte < p->pool[step->singles.at + i + 1]; byte += 4)
            if (!is_finite_bits(words[byte / 4])) {
                if (!is_sleeper(e, step, byte)) return 0;
                found = 1;
            }
    for (i = 0; i < step->doubles.count; i += 2)
        for (byte = p->pool[step->doubles.at + i]; byte < p->pool[step->doubles.at + i + 1]; byte += 8)
            if ((words[byte / 4 + 1] & 0x7ff00000u) == 0x7ff00000u) {
                if (!is_sleeper(e, step, byte)) return 0;
                found = 1;
            }
    if (!found) return 1;
    for (i = 0; i < step->voices; i++) {
        MamVoice const* voice = &p->voice[step->first_voice + i];
        if (e->awake[step->first_voice + i]) continue;
        for (k = 0; k < voice->bytes.count; k += 2)
            restore(e, step->state + p->pool[voice->bytes.at + k], step->state + p->pool[voice->bytes.at + k + 1]);
    }
    return 1;
}

/* Examines what a step has rendered. Where it is not finite the step is silent until its next note. */
static void examine(MamEngine* e, uint32_t index, uint32_t start, uint32_t end) {
    MamProgram const* p = e->p;
    MamStep const* step = &p->step[index];
    StepState* s = &e->steps[index];
    int finite = 1;
    uint32_t i, k;
    if (s->silent || s->failed || (step->flags & MAM_COPIES)) return;
    for (i = 0; i < step->outputs.count; i++) {
        float const* at = e->buffers + p->pool[step->outputs.at + i] * QUANTUM;
        for (k = start; k < end; k++) finite &= is_finite_bits(single_bits(at + k));
    }
    if (finite && states_are_finite(e, step)) return;
    for (i = 0; i < step->outputs.count; i++)
        clear(e->buffers + p->pool[step->outputs.at + i] * QUANTUM + start, end - start);
    restore(e, step->state, step->state + step->bytes);
    for (i = 0; i < step->voices; i++) {
        e->awake[step->first_voice + i] = 0;
        e->ports[step->first_port + p->voice[step->first_voice + i].port].active = 0;
    }
    s->stale = s->failed = 1;
    s->clearing = step->delays.count > 0;
    s->clearing_line = s->clearing_at = 0;
    clear_lines(e, index);
}

/* Sleep */

/* At the quantum's end, voices whose note has ended and that say so fall asleep. */
static void fall_asleep(MamEngine* e, uint32_t index) {
    MamStep const* step = &e->p->step[index];
    uint32_t i;
    for (i = 0; i < step->voices; i++) {
        MamVoice const* voice = &e->p->voice[step->first_voice + i];
        MamPort* port = &e->ports[step->first_port + voice->port];
        if (!e->awake[step->first_voice + i] || port->gate != 0) continue;
        if (((MamWord const*)e->state)[(step->state + voice->until) / 4] == 0) continue;
        e->awake[step->first_voice + i] = 0;
        port->active = 0;
        e->steps[index].stale = 1;
    }
}

/* Whether states and what has been written into delay lines in a quantum are silent. */
static int is_decayed(MamEngine const* e, MamStep const* step, uint64_t quantum) {
    MamProgram const* p = e->p;
    uint32_t i;
    for (i = 0; i < step->words.count; i++) {
        uint32_t word = p->pool[step->words.at + i];
        unsigned char const* at = e->state + (word >> 1);
        double x = word & 1u ? *(MamDouble const*)at : (double)*(MamSingle const*)at;
        if (!(x < (double)SILENCE && x > -(double)SILENCE)) return 0;
    }
    for (i = 0; i < step->delays.count; i++) {
        uint32_t line = p->pool[step->delays.at + i] >> 1, frames = p->line[line].frames;
        float const* at = line_of(e, line);
        if (frames < QUANTUM ? !are_silent(at, frames)
                             : !are_silent(at + ((uint32_t)quantum & (frames - 1)), QUANTUM))
            return 0;
    }
    return 1;
}

/* An effect falls asleep when all of it has been silent for longer than its longest delay line. */
static void step_end(MamEngine* e, uint32_t index, uint64_t quantum, uint32_t start, uint32_t end) {
    MamStep const* step = &e->p->step[index];
    StepState* s = &e->steps[index];
    uint32_t i;
    int loud;
    if (!(step->flags & MAM_SLEEPS) || s->asleep || s->disturbed) return;
    for (i = 0; i < step->outputs.count && !s->loud; i++)
        if (!are_silent(e->buffers + e->p->pool[step->outputs.at + i] * QUANTUM + start, end - start)) s->loud = 1;
    if (end < QUANTUM) return;
    loud = s->loud;
    s->loud = 0;
    s->silent_frames = !loud && is_decayed(e, step, quantum) ? s->silent_frames + QUANTUM : 0;
    s->asleep = s->silent_frames > step->longest;
}

/* Renders some frames of the quantum that begins at a frame. */
static void part(MamEngine* e, uint64_t quantum, uint32_t start, uint32_t end) {
    uint32_t i, failed;
    take_events(e, quantum, start, end);
    for (i = 0; i < e->p->steps; i++) step_begin(e, i, start == 0);
    for (i = 0; i < e->p->steps; i++) {
        run(e, i, quantum, start, end);
        failed = e->steps[i].failed;
        examine(e, i, start, end);
        failed = !failed && e->steps[i].failed;
        if (end == QUANTUM) {
            fall_asleep(e, i);
            if (!failed) clear_lines(e, i);
        }
        step_end(e, i, quantum, start, end);
    }
    notes_begin(e);
    if (e->ramping == 0) params_begin(e, 0);
    e->silent = 1;
    for (i = 0; i < e->p->outputs; i++)
        e->silent &= (uint32_t)is_silent_origin(e, e->p->input_buffers[e->p->inputs + e->p->outputs + i]);
}

/* The interface */

/* The next stretch of memory, of whole cache lines. */
static void* take(unsigned char* memory, uint32_t* at, uint32_t count, uint32_t size) {
    uint32_t first = *at;
    *at += (count * size + 63u) & ~63u;
    return memory == 0 ? 0 : memory + first;
}

static uint32_t lay_out(MamEngine* e, MamProgram const* p, unsigned char* memory) {
    uint32_t at = 0;
    take(memory, &at, 1, MAM_ENGINE_BYTES);
    e->state = take(memory, &at, p->state_words, 4);
    e->lines = take(memory, &at, p->line_frames, 4);
    e->buffers = take(memory, &at, (p->buffers + 1) * QUANTUM, 4);
    e->scratch = take(memory, &at, p->most_params * QUANTUM, 4);
    e->exact = take(memory, &at, p->params * QUANTUM, 8);
    e->values = take(memory, &at, p->most_params, 8);
    e->params = take(memory, &at, p->params, (uint32_t)sizeof(Param));
    e->touched_list = take(memory, &at, p->params, 4);
    e->ramping_list = take(memory, &at, p->params, 4);
    e->steps = take(memory, &at, p->steps, (uint32_t)sizeof(StepState));
    e->ports = take(memory, &at, p->step_ports, (uint32_t)sizeof(MamPort));
    e->awake = take(memory, &at, p->step_voices, 1);
    e->monitors = take(memory, &at, p->targets, 1);
    e->note = take(memory, &at, p->notes, (uint32_t)sizeof(Note));
    e->chains = take(memory, &at, p->ports, (uint32_t)sizeof(Chain));
    e->held = take(memory, &at, p->ports, (uint32_t)sizeof(Held));
    e->wait = take(memory, &at, p->waits, (uint32_t)sizeof(Held));
    e->queue = take(memory, &at, p->events, (uint32_t)sizeof(Waiting));
    e->delay_table = take(memory, &at, p->most_delays, (uint32_t)sizeof(float*));
    e->moving_table = take(memory, &at, p->most_params, (uint32_t)sizeof(float*));
    e->input_table = take(memory, &at, p->most_inputs, (uint32_t)sizeof(float*));
    e->output_table = take(memory, &at, p->most_outputs, (uint32_t)sizeof(float*));
    return at;
}

MAM_ENGINE_API MamEngine* mam_engine_init(MamProgram const* p, void* memory) {
    MamEngine* e = (MamEngine*)memory;
    uint32_t i;
    if (p->version != MAM_VERSION || memory == 0) return 0;
    for (i = 0; i < p->bytes / 4; i++) {
        ((MamWord*)memory)[i] = 0;
        MAM_LOOP;
    }
    if (lay_out(e, p, (unsigned char*)memory) > p->bytes) return 0;
    e->p = p;
    e->passes_end = ~(uint64_t)0;
    begin_score(e, 0);
    restore(e, 0, p->state_words * 4);
    for (i = 0; i < p->params; i++)
        e->params[i].value = nearest(p->param[i].initial, p->param[i].min, p->param[i].max);
    for (i = 0; i < p->steps; i++) e->steps[i].stale = e->steps[i].disturbed = 1;
    for (i = 0; i < p->step_ports; i++) {
        e->ports[i].active = p->port[i].active;
        e->ports[i].note = p->port[i].note;
        e->ports[i].freq = p->port[i].freq;
    }
    for (i = 0; i < p->ports; i++) e->chains[i].first = e->chains[i].last = MAM_NONE;
    return e;
}

/* Copies what a kernel may see of the input; silence where there is none. */
static void copy_input(MamEngine* e, float const* const* in, uint32_t done, uint32_t start, uint32_t end) {
    uint32_t i, k;
    for (i = 0; i < e->p->inputs; i++) {
        float* to = e->buffers + e->p->input_buffers[i] * QUANTUM;
        for (k = start; k < end; k++) {
            float x = in == 0 || in[i] == 0 ? 0.0f : in[i][done + k - start];
            uint32_t exponent = single_bits(&x) & 0x7f800000u;
            to[k] = exponent == 0 || exponent == 0x7f800000u ? 0.0f : x;
            MAM_LOOP;
        }
    }
}

MAM_ENGINE_API void mam_engine_process(MamEngine* e, float const* const* in, float* const* out, uint32_t frames) {
    uint32_t old = flushing_begin(), done = 0, i, k;
    uint32_t const* outputs = e->p->input_buffers + e->p->inputs;
    while (done < frames) {
        uint32_t start = (uint32_t)e->position & (QUANTUM - 1), end = QUANTUM;
        if (end - start > frames - done) end = start + (frames - done);
        copy_input(e, in, done, start, end);
        part(e, e->position - start, start, end);
        for (i = 0; i < e->p->outputs; i++) {
            int silent = is_silent_origin(e, outputs[e->p->outputs + i]);
            float const* from = silent ? silence_of(e) : e->buffers + outputs[i] * QUANTUM;
            for (k = start; k < end; k++) {
                out[i][done + k - start] = from[k];
                MAM_LOOP;
            }
        }
        e->position += end - start;
        done += end - start;
    }
    flushing_end(old);
}

/* Puts an event where it belongs. 0 where there is no room for it. */
static int send(MamEngine* e, uint32_t offset, uint32_t what, double value, double vel, uint32_t ramp) {
    uint64_t frame = e->position + offset;
    uint32_t at = e->waiting;
    if (value != value || vel != vel || e->waiting == e->p->events) return 0;
    for (; at > 0 && e->queue[at - 1].frame > frame; at--) {
        e->queue[at] = e->queue[at - 1];
        MAM_LOOP;
    }
    e->queue[at].frame = frame;
    e->queue[at].what = what;
    e->queue[at].value = value;
    e->queue[at].vel = vel;
    e->queue[at].ramp = ramp;
    e->waiting++;
    return 1;
}

MAM_ENGINE_API int mam_engine_set(MamEngine* e, uint32_t param, double value, uint32_t ramp, uint32_t offset) {
    return param < e->p->settable && send(e, offset, 8 * param + MAM_OWN_CURVE, value, 0.0, ramp);
}

MAM_ENGINE_API int mam_engine_note_on(MamEngine* e, uint32_t instrument, double note, double vel, uint32_t offset) {
    return instrument < e->p->targets && send(e, offset, 8 * instrument + MAM_ON, note, vel, 0);
}

MAM_ENGINE_API int mam_engine_note_off(MamEngine* e, uint32_t instrument, double note, uint32_t offset) {
    return instrument < e->p->targets && send(e, offset, 8 * instrument + MAM_OFF, note, 0.0, 0);
}

MAM_ENGINE_API int mam_engine_silent(MamEngine const* e) {
    MamPass const *pass = pass_of(e, &e->main), *over_pass = pass_of(e, &e->over);
    int last = (uint64_t)e->main.pass + 1 >= e->passes_end || pass->frames == 0;
    int over = e->main.next >= pass->over && e->over.next >= over_pass->end && e->over.pass == e->main.pass;
    int done = e->passes_end == 0 || e->p->score == 0 || (last && over);
    return e->silent && done && e->waiting == 0;
}

MAM_ENGINE_API void mam_engine_score(MamEngine* e, uint32_t passes) {
    e->release = 1;
    e->passes_end = passes == MAM_NONE ? ~(uint64_t)0 : passes;
    begin_score(e, e->position);
}
