#ifndef MAM_PARAM
#define MAM_PARAM
/* Something that can be set, in base units (Hz, s, plain numbers). A range without an end goes to the greatest double. `curve`
 * says how a ramp goes there: MAM_LINEAR, MAM_EXP, or at once with MAM_STEP. `smooth` is how many frames a set without a
 * ramp takes. `id` follows from the name alone. */
typedef struct {
    char const* name;
    double min, max, initial;
    uint32_t curve, smooth, id, reserved;
} MamParam;
#define MAM_LINEAR 0u
#define MAM_EXP 1u
#define MAM_STEP 2u
/* For the score: pass after pass, without an end. */
#define MAM_REPEAT 0xffffffffu
#endif
