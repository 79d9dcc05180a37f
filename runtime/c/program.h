/* What a song is to the engine: constant tables, and the functions of its kernels.
 * SPDX-License-Identifier: 0BSD */

/* What a kernel is given for some frames, at most 64. All pointers are to tables in the kernel's own order. */
enum { MAM_TRIG = 1, MAM_SLUR = 2, MAM_FRESH = 4 }; /* a note begins; the one before was held; the voice slept */
typedef struct {
    uint32_t trig, gate, active, reserved;
    double freq, note, vel;
} MamPort;
typedef struct {
    unsigned char* state;
    float* const* delays;
    double const* params;
    float const* const* moving;
    float const* const* inputs;
    float* const* outputs;
    MamPort const* ports;
    uint32_t frame, frames;
} MamCall;
typedef void MamKernel(MamCall const*);
/* Setup computes what the steady form reads from the state; the general form begins notes and moves parameters. */
typedef struct {
    MamKernel *setup, *steady, *general;
} MamForms;

/* A stretch of the program's pool. */
typedef struct {
    uint32_t at, count;
} MamList;

/* One call of a kernel in each quantum. */
typedef struct {
    uint32_t kernel;
    uint32_t state, bytes;             /* its block of state memory, in bytes */
    uint32_t flags;                    /* MAM_SLEEPS, MAM_COPIES */
    uint32_t longest;                  /* frames of its longest delay line */
    uint32_t first_port, ports;        /* in MamProgram.ports */
    uint32_t first_voice, voices;      /* in MamProgram.voices */
    MamList delays;                    /* 2 * the index of a line, and 1 more where it is another step's */
    MamList params;                    /* 2 * index, and 1 where the general form reads it once a call */
    MamList inputs;                    /* for each its buffer, then for each where it comes from */
    MamList outputs;                   /* buffers */
    MamList singles, doubles;          /* first and last byte of states in float and in double */
    MamList words;                     /* 2 * byte of each word of state, and 1 where it is a double */
} MamStep;
#define MAM_SLEEPS 1u
#define MAM_COPIES 2u

/* A part of a step that sleeps until a note wakes it. */
typedef struct {
    uint32_t port;                     /* of the step's */
    uint32_t until;                    /* byte of the word that says that it may sleep */
    uint32_t first_delay, delays;      /* of the step's */
    MamList bytes;                     /* first and last byte of what returns to its first value when it wakes */
} MamVoice;
/* An event port, as a step sees it before the first note. */
typedef struct {
    double note, freq;
    uint32_t port, active;
} MamPortSpec;
typedef struct {
    uint32_t at, frames;               /* place of the first frame among all lines; a power of two */
} MamLine;
typedef struct {
    MamList voices;                    /* ports */
    MamList own;                       /* of each parameter that notes may set the share of each voice, or MAM_NONE */
    uint32_t monitor;                  /* the port that hears every note, or MAM_NONE */
    uint32_t priority;                 /* which notes play where more are held than there are voices: one of MAM_LAST ..; or 0 */
} MamTarget;
#define MAM_NONE 0xffffffffu
#define MAM_LAST 1u
#define MAM_LOW 2u
#define MAM_HIGH 3u
#define MAM_WAITING 128u               /* notes of an instrument that may wait for a voice */
/* How a parameter and the voices' shares of it belong together. */
typedef struct {
    MamList shares;                    /* of this parameter, in the pool */
    uint32_t follows;                  /* the parameter that this is a share of, or MAM_NONE */
} MamShares;

/* An event of the score. `what` is MAM_SET + 8 * parameter + its curve, MAM_ON + 8 * instrument, or MAM_OFF + 8 * the
 * place of the note's event. */
typedef struct {
    uint32_t frame, what;
    uint32_t number;                   /* of numbers: value, and what an exponential ramp falls by; or note, frequency, velocity,
                                        * and for each parameter that notes may set 1 and its value, or 0 and 0 */
    uint32_t ramp;                     /* frames; 0 for at once, or as the parameter is smoothed */
} MamEvent;
#define MAM_ON 6u
#define MAM_OFF 7u
#define MAM_OWN_CURVE 3u
/* A pass of the score. Frames of its events count from its beginning, which is rounded once. */
typedef struct {
    uint32_t first, over, end;         /* of its events: the first one, the first of those that end notes behind it, and their end */
    uint32_t frames, rest;             /* its length: whole frames, and parts of one */
} MamPass;

typedef struct {
    uint32_t version;                  /* MAM_VERSION */
    uint32_t bytes;                    /* of memory */
    uint32_t rate, guard;              /* frames of room before and after each line */
    uint32_t steps, ports, lines, line_frames, params, targets, state_words, buffers, inputs, outputs;
    uint32_t step_ports, step_voices;
    uint32_t most_params, most_delays, most_inputs, most_outputs; /* of a step */
    uint32_t notes, events;            /* notes of a quantum, and events that may wait, at most */
    uint32_t score, passes;            /* events of the score; passes that differ: the last of them comes again and again */
    uint32_t parts;                    /* into which a frame is divided */
    uint32_t most_voices;              /* of an instrument */
    uint32_t waits;                    /* notes that may wait for a voice, of all instruments */
    uint32_t settable;                 /* parameters that are no shares: the first ones */
    uint32_t const* pool;
    uint32_t const* image;             /* the state at the start */
    uint32_t const* input_buffers;     /* then for each output its buffer, and where it comes from */
    MamForms const* kernels;
    MamStep const* step;
    MamPortSpec const* port;
    MamVoice const* voice;
    MamLine const* line;
    MamParam const* param;
    MamTarget const* target;
    MamEvent const* event;
    MamPass const* pass;
    double const* numbers;
    double const* keys;                /* the frequency of each MIDI note, 0 to 127 */
    double const* tuning;              /* the pitch of each, where they are not those of equal steps; else 0 */
    MamShares const* shares;           /* of each parameter; 0 where notes set none */
} MamProgram;
#define MAM_VERSION 4u
