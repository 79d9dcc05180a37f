/* The ops of a song's kernels: the same bits on every processor that flushes subnormals to zero and rounds once. Vectors are
 * those of GCC and clang; with -DMAM_SCALAR, and elsewhere, they are four scalars, and the bits are the same.
 * SPDX-License-Identifier: 0BSD */

#if defined(__FLT_EVAL_METHOD__) && __FLT_EVAL_METHOD__ != 0 && __FLT_EVAL_METHOD__ != 16
#error "the song needs floats that are rounded after each operation: -msse2 -mfpmath=sse on 32-bit x86"
#endif
/* Nothing is contracted: a multiplication and an addition are rounded each. */
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#define KERNEL static __attribute__((no_builtin))
#elif defined(__GNUC__)
#pragma GCC optimize("fp-contract=off", "no-tree-loop-distribute-patterns")
#define KERNEL static
#else
#define KERNEL static
#endif
#ifdef __GNUC__
#define FN static inline __attribute__((unused))
#define ALIAS __attribute__((may_alias))
#define RESTRICT __restrict
#else
#define FN static inline
#define ALIAS
#define RESTRICT restrict
#endif

typedef float ALIAS f32;
typedef double ALIAS f64;
typedef int32_t ALIAS i32;
typedef uint32_t ALIAS u32;

FN f32 f32_of(u32 x) { union { u32 i; f32 f; } u; u.i = x; return u.f; }
FN u32 bits_of(f32 x) { union { u32 i; f32 f; } u; u.f = x; return u.i; }
FN f64 f64_of(uint64_t x) { union { uint64_t i; f64 f; } u; u.i = x; return u.f; }
FN uint64_t bits64_of(f64 x) { union { uint64_t i; f64 f; } u; u.f = x; return u.i; }

/* Whole numbers wrap. */
FN i32 add_i32(i32 a, i32 b) { return (i32)((u32)a + (u32)b); }
FN i32 sub_i32(i32 a, i32 b) { return (i32)((u32)a - (u32)b); }
FN i32 mul_i32(i32 a, i32 b) { return (i32)((u32)a * (u32)b); }
FN i32 shl_i32(i32 a, i32 b) { return (i32)((u32)a << (b & 31)); }
FN i32 ushr_i32(i32 a, i32 b) { return (i32)((u32)a >> (b & 31)); }
FN i32 sshr_i32(i32 a, i32 b) {
    u32 sign = a < 0 ? 0xffffffffu : 0;
    return (i32)((((u32)a ^ sign) >> (b & 31)) ^ sign);
}
FN i32 min_i32(i32 a, i32 b) { return a < b ? a : b; }
FN i32 max_i32(i32 a, i32 b) { return b < a ? a : b; }

FN f32 min_f32(f32 a, f32 b) { return a < b ? a : b; }
FN f32 max_f32(f32 a, f32 b) { return b < a ? a : b; }
FN f64 min_f64(f64 a, f64 b) { return a < b ? a : b; }
FN f64 max_f64(f64 a, f64 b) { return b < a ? a : b; }
FN f32 abs_f32(f32 a) { return f32_of(bits_of(a) & 0x7fffffffu); }
FN f64 abs_f64(f64 a) { return f64_of(bits64_of(a) & 0x7fffffffffffffffu); }

/* Whole floats, without a library: beyond 2^23 (2^52) all are. The sign stays, of zero as well. */
FN f32 signed_f32(f32 size, f32 of) { return f32_of(bits_of(size) | (bits_of(of) & 0x80000000u)); }
FN f64 signed_f64(f64 size, f64 of) { return f64_of(bits64_of(size) | (bits64_of(of) & 0x8000000000000000u)); }
FN f32 round_f32(f32 a) {
    f32 m = abs_f32(a);
    return m < 0x1p23f ? signed_f32((m + 0x1p23f) - 0x1p23f, a) : a;
}
FN f64 round_f64(f64 a) {
    f64 m = abs_f64(a);
    return m < 0x1p52 ? signed_f64((m + 0x1p52) - 0x1p52, a) : a;
}
FN f32 trunc_f32(f32 a) {
    f32 m = abs_f32(a), r = (m + 0x1p23f) - 0x1p23f;
    return m < 0x1p23f ? signed_f32(r > m ? r - 1.0f : r, a) : a;
}
FN f64 trunc_f64(f64 a) {
    f64 m = abs_f64(a), r = (m + 0x1p52) - 0x1p52;
    return m < 0x1p52 ? signed_f64(r > m ? r - 1.0 : r, a) : a;
}
FN f32 floor_f32(f32 a) { f32 t = trunc_f32(a); return t > a ? t - 1.0f : t; }
FN f64 floor_f64(f64 a) { f64 t = trunc_f64(a); return t > a ? t - 1.0 : t; }
FN f32 ceil_f32(f32 a) { f32 t = trunc_f32(a); return t < a ? signed_f32(abs_f32(t + 1.0f), a) : t; }
FN f64 ceil_f64(f64 a) { f64 t = trunc_f64(a); return t < a ? signed_f64(abs_f64(t + 1.0), a) : t; }

/* Square roots: the instruction, or digit by digit where there is none. */
#if defined(__GNUC__) && defined(__SSE2__) && !defined(MAM_SCALAR)
FN f32 sqrt_f32(f32 a) { f32 r; __asm__("sqrtss %1, %0" : "=x"(r) : "x"(a)); return r; }
FN f64 sqrt_f64(f64 a) { f64 r; __asm__("sqrtsd %1, %0" : "=x"(r) : "x"(a)); return r; }
#elif defined(__GNUC__) && defined(__aarch64__) && !defined(MAM_SCALAR)
FN f32 sqrt_f32(f32 a) { f32 r; __asm__("fsqrt %s0, %s1" : "=w"(r) : "w"(a)); return r; }
FN f64 sqrt_f64(f64 a) { f64 r; __asm__("fsqrt %d0, %d1" : "=w"(r) : "w"(a)); return r; }
#else
/* The root of m * 4^digits, rounded to the nearest: one more binary digit than are wanted decides. */
FN uint64_t root_of(uint64_t m, u32 digits) {
    uint64_t root = 0, rest = 0;
    u32 i;
    for (i = 0; i < 32 + digits; i++) {
        uint64_t next = i < 32 ? m >> (62 - 2 * i) & 3 : 0;
        rest = rest << 2 | next;
        root <<= 1;
        if (rest > root << 1) {
            rest -= (root << 1) + 1;
            root++;
        }
    }
    return (root + 1) >> 1;
}
FN f32 sqrt_f32(f32 a) {
    u32 b = bits_of(a), exponent = b >> 23;
    uint64_t m;
    if ((b & 0x7fffffffu) == 0 || b == 0x7f800000u || a != a) return a;
    if (b >> 31) return f32_of(0x7fc00000u);
    m = (b & 0x7fffffu) | 0x800000u;
    if (exponent & 1) m <<= 0; else m <<= 1;
    /* a = m * 2^(2k - 23): the root has 24 digits and one more. */
    m <<= 25;
    m = root_of(m, 0);
    return f32_of(((exponent + 127u) / 2u << 23) + ((u32)m & 0x7fffffu) + ((u32)(m >> 24) << 23));
}
FN f64 sqrt_f64(f64 a) {
    uint64_t b = bits64_of(a), m;
    u32 exponent = (u32)(b >> 52);
    if ((b & 0x7fffffffffffffffu) == 0 || b == 0x7ff0000000000000u || a != a) return a;
    if (b >> 63) return f64_of(0x7ff8000000000000u);
    m = (b & 0xfffffffffffffu) | 0x10000000000000u;
    if ((exponent & 1) == 0) m <<= 1;
    m = root_of(m, 27);
    return f64_of(((uint64_t)((exponent + 1023u) / 2u) << 52) + (m & 0xfffffffffffffu) + (m >> 53 << 52));
}
#endif

/* Conversions: to whole numbers towards zero, saturating; what is not a number is 0. */
FN i32 toint_f32(f32 a) {
    return a != a ? 0 : a >= 2147483648.0f ? 2147483647 : a < -2147483648.0f ? -2147483647 - 1 : (i32)a;
}
FN i32 toint_f64(f64 a) {
    return a != a ? 0 : a >= 2147483647.0 ? 2147483647 : a <= -2147483648.0 ? -2147483647 - 1 : (i32)a;
}
FN i32 int_bits(f32 a) { return (i32)bits_of(a); }
FN f32 float_bits(i32 a) {
    u32 b = (u32)a;
    return f32_of((b & 0x7f800000u) == 0 ? b & 0x80000000u : b);
}
FN i32 high_bits(f64 a) { return (i32)(u32)(bits64_of(a) >> 32); }
FN f64 from_high_bits(i32 a) {
    u32 b = (u32)a;
    return f64_of((uint64_t)((b & 0x7ff00000u) == 0 ? b & 0x80000000u : b) << 32);
}

/* Four lanes. A truth in lanes has all bits of its lane, or none. */
#if defined(__GNUC__) && !defined(MAM_SCALAR)
typedef float f32x4 __attribute__((vector_size(16), may_alias));
typedef int32_t i32x4 __attribute__((vector_size(16), may_alias));
typedef uint32_t u32x4 __attribute__((vector_size(16), may_alias));
typedef float f32x4u __attribute__((vector_size(16), may_alias, aligned(4)));
typedef int32_t i32x4u __attribute__((vector_size(16), may_alias, aligned(4)));
#define LANE(a, k) (a)[k]
FN f32x4 load_f32x4(void const* p) { return *(f32x4u const*)p; }
FN i32x4 load_i32x4(void const* p) { return *(i32x4u const*)p; }
FN void store_f32x4(void* p, f32x4 x) { *(f32x4u*)p = x; }
FN void store_i32x4(void* p, i32x4 x) { *(i32x4u*)p = x; }
FN f32x4 splat_f32x4(f32 x) { return (f32x4){x, x, x, x}; }
FN i32x4 splat_i32x4(i32 x) { return (i32x4){x, x, x, x}; }
FN f32x4 pack_f32x4(f32 a, f32 b, f32 c, f32 d) { return (f32x4){a, b, c, d}; }
FN i32x4 pack_i32x4(i32 a, i32 b, i32 c, i32 d) { return (i32x4){a, b, c, d}; }
#define OPERATOR(type, name, op) FN type name##_##type(type a, type b) { return a op b; }
#define WRAPPING(name, op) FN i32x4 name##_i32x4(i32x4 a, i32x4 b) { return (i32x4)((u32x4)a op (u32x4)b); }
#define COMPARISON(name, op) \
    FN i32x4 name##_f32x4(f32x4 a, f32x4 b) { return (i32x4)(a op b); } \
    FN i32x4 name##_i32x4(i32x4 a, i32x4 b) { return (i32x4)(a op b); }
OPERATOR(f32x4, add, +) OPERATOR(f32x4, sub, -) OPERATOR(f32x4, mul, *) OPERATOR(f32x4, div, /)
WRAPPING(add, +) WRAPPING(sub, -) WRAPPING(mul, *)
OPERATOR(i32x4, and, &) OPERATOR(i32x4, or, |) OPERATOR(i32x4, xor, ^)
COMPARISON(lt, <) COMPARISON(le, <=) COMPARISON(eq, ==) COMPARISON(ne, !=)
FN f32x4 neg_f32x4(f32x4 a) { return -a; }
FN i32x4 not_i32x4(i32x4 a) { return ~a; }
FN f32x4 select_f32x4(i32x4 m, f32x4 a, f32x4 b) { return (f32x4)((m & (i32x4)a) | (~m & (i32x4)b)); }
FN i32x4 select_i32x4(i32x4 m, i32x4 a, i32x4 b) { return (m & a) | (~m & b); }
FN f32x4 min_f32x4(f32x4 a, f32x4 b) { return select_f32x4((i32x4)(a < b), a, b); }
FN f32x4 max_f32x4(f32x4 a, f32x4 b) { return select_f32x4((i32x4)(b < a), a, b); }
FN i32x4 min_i32x4(i32x4 a, i32x4 b) { return select_i32x4((i32x4)(a < b), a, b); }
FN i32x4 max_i32x4(i32x4 a, i32x4 b) { return select_i32x4((i32x4)(b < a), a, b); }
FN i32x4 shl_i32x4(i32x4 a, i32x4 b) { return (i32x4)((u32x4)a << (u32x4)(b & 31)); }
FN i32x4 ushr_i32x4(i32x4 a, i32x4 b) { return (i32x4)((u32x4)a >> (u32x4)(b & 31)); }
FN i32x4 sshr_i32x4(i32x4 a, i32x4 b) { return a >> (b & 31); }
FN f32x4 abs_f32x4(f32x4 a) { return (f32x4)((u32x4)a & 0x7fffffffu); }
FN f32x4 round_f32x4(f32x4 a) {
    u32x4 s = (u32x4)a & 0x80000000u;
    f32x4 m = (f32x4)((u32x4)a ^ s), r = select_f32x4((i32x4)(m < 0x1p23f), (m + 0x1p23f) - 0x1p23f, m);
    return (f32x4)((u32x4)r | s);
}
FN f32x4 trunc_f32x4(f32x4 a) {
    u32x4 s = (u32x4)a & 0x80000000u;
    f32x4 m = (f32x4)((u32x4)a ^ s), r = (m + 0x1p23f) - 0x1p23f;
    r = select_f32x4((i32x4)(r > m), r - 1.0f, r);
    r = select_f32x4((i32x4)(m < 0x1p23f), r, m);
    return (f32x4)((u32x4)r | s);
}
FN f32x4 floor_f32x4(f32x4 a) { f32x4 t = trunc_f32x4(a); return select_f32x4((i32x4)(t > a), t - 1.0f, t); }
FN f32x4 ceil_f32x4(f32x4 a) {
    f32x4 t = trunc_f32x4(a);
    u32x4 s = (u32x4)a & 0x80000000u;
    return select_f32x4((i32x4)(t < a), (f32x4)((u32x4)abs_f32x4(t + 1.0f) | s), t);
}
FN f32x4 tofloat_f32x4(i32x4 a) { return __builtin_convertvector(a, f32x4); }
FN f32x4 float_bitsx4(i32x4 a) {
    return (f32x4)select_i32x4((i32x4)((a & 0x7f800000) == 0), a & (-2147483647 - 1), a);
}
FN i32x4 int_bitsx4(f32x4 a) { return (i32x4)a; }
#else
typedef struct { float e[4]; } f32x4;
typedef struct { int32_t e[4]; } i32x4;
#define LANE(a, k) (a).e[k]
FN f32x4 pack_f32x4(f32 a, f32 b, f32 c, f32 d) {
    f32x4 r;
    r.e[0] = a; r.e[1] = b; r.e[2] = c; r.e[3] = d;
    return r;
}
FN i32x4 pack_i32x4(i32 a, i32 b, i32 c, i32 d) {
    i32x4 r;
    r.e[0] = a; r.e[1] = b; r.e[2] = c; r.e[3] = d;
    return r;
}
FN f32x4 load_f32x4(void const* p) { f32 const* x = (f32 const*)p; return pack_f32x4(x[0], x[1], x[2], x[3]); }
FN i32x4 load_i32x4(void const* p) { i32 const* x = (i32 const*)p; return pack_i32x4(x[0], x[1], x[2], x[3]); }
FN void store_f32x4(void* p, f32x4 a) { f32* x = (f32*)p; x[0] = a.e[0]; x[1] = a.e[1]; x[2] = a.e[2]; x[3] = a.e[3]; }
FN void store_i32x4(void* p, i32x4 a) { i32* x = (i32*)p; x[0] = a.e[0]; x[1] = a.e[1]; x[2] = a.e[2]; x[3] = a.e[3]; }
FN f32x4 splat_f32x4(f32 x) { return pack_f32x4(x, x, x, x); }
FN i32x4 splat_i32x4(i32 x) { return pack_i32x4(x, x, x, x); }
/* Lane by lane. */
#define EACH1(to, name, from, f) \
    FN to name(from a) { return pack_##to(f(a.e[0]), f(a.e[1]), f(a.e[2]), f(a.e[3])); }
#define EACH2(to, name, from, f) \
    FN to name(from a, from b) { \
        return pack_##to(f(a.e[0], b.e[0]), f(a.e[1], b.e[1]), f(a.e[2], b.e[2]), f(a.e[3], b.e[3])); \
    }
#define PLUS(a, b) ((a) + (b))
#define MINUS(a, b) ((a) - (b))
#define TIMES(a, b) ((a) * (b))
#define OVER(a, b) ((a) / (b))
#define BOTH(a, b) ((a) & (b))
#define EITHER(a, b) ((a) | (b))
#define ONE(a, b) ((a) ^ (b))
#define LESS(a, b) (-((a) < (b)))
#define LEAST(a, b) (-((a) <= (b)))
#define SAME(a, b) (-((a) == (b)))
#define OTHER(a, b) (-((a) != (b)))
#define NEGATIVE(a) (-(a))
#define NOT(a) (~(a))
#define SINGLE(a) ((f32)(a))
EACH2(f32x4, add_f32x4, f32x4, PLUS) EACH2(f32x4, sub_f32x4, f32x4, MINUS)
EACH2(f32x4, mul_f32x4, f32x4, TIMES) EACH2(f32x4, div_f32x4, f32x4, OVER)
EACH2(i32x4, add_i32x4, i32x4, add_i32) EACH2(i32x4, sub_i32x4, i32x4, sub_i32) EACH2(i32x4, mul_i32x4, i32x4, mul_i32)
EACH2(i32x4, and_i32x4, i32x4, BOTH) EACH2(i32x4, or_i32x4, i32x4, EITHER) EACH2(i32x4, xor_i32x4, i32x4, ONE)
EACH2(i32x4, lt_f32x4, f32x4, LESS) EACH2(i32x4, le_f32x4, f32x4, LEAST)
EACH2(i32x4, eq_f32x4, f32x4, SAME) EACH2(i32x4, ne_f32x4, f32x4, OTHER)
EACH2(i32x4, lt_i32x4, i32x4, LESS) EACH2(i32x4, le_i32x4, i32x4, LEAST)
EACH2(i32x4, eq_i32x4, i32x4, SAME) EACH2(i32x4, ne_i32x4, i32x4, OTHER)
EACH2(f32x4, min_f32x4, f32x4, min_f32) EACH2(f32x4, max_f32x4, f32x4, max_f32)
EACH2(i32x4, min_i32x4, i32x4, min_i32) EACH2(i32x4, max_i32x4, i32x4, max_i32)
EACH2(i32x4, shl_i32x4, i32x4, shl_i32) EACH2(i32x4, ushr_i32x4, i32x4, ushr_i32) EACH2(i32x4, sshr_i32x4, i32x4, sshr_i32)
EACH1(f32x4, neg_f32x4, f32x4, NEGATIVE) EACH1(i32x4, not_i32x4, i32x4, NOT) EACH1(f32x4, abs_f32x4, f32x4, abs_f32)
EACH1(f32x4, round_f32x4, f32x4, round_f32) EACH1(f32x4, trunc_f32x4, f32x4, trunc_f32)
EACH1(f32x4, floor_f32x4, f32x4, floor_f32) EACH1(f32x4, ceil_f32x4, f32x4, ceil_f32)
EACH1(f32x4, tofloat_f32x4, i32x4, SINGLE) EACH1(f32x4, float_bitsx4, i32x4, float_bits) EACH1(i32x4, int_bitsx4, f32x4, int_bits)
FN f32x4 select_f32x4(i32x4 m, f32x4 a, f32x4 b) {
    return pack_f32x4(m.e[0] ? a.e[0] : b.e[0], m.e[1] ? a.e[1] : b.e[1], m.e[2] ? a.e[2] : b.e[2], m.e[3] ? a.e[3] : b.e[3]);
}
FN i32x4 select_i32x4(i32x4 m, i32x4 a, i32x4 b) {
    return pack_i32x4(m.e[0] ? a.e[0] : b.e[0], m.e[1] ? a.e[1] : b.e[1], m.e[2] ? a.e[2] : b.e[2], m.e[3] ? a.e[3] : b.e[3]);
}
#endif
FN f32x4 sqrt_f32x4(f32x4 a) {
    return pack_f32x4(sqrt_f32(LANE(a, 0)), sqrt_f32(LANE(a, 1)), sqrt_f32(LANE(a, 2)), sqrt_f32(LANE(a, 3)));
}
FN i32x4 toint_f32x4(f32x4 a) {
    return pack_i32x4(toint_f32(LANE(a, 0)), toint_f32(LANE(a, 1)), toint_f32(LANE(a, 2)), toint_f32(LANE(a, 3)));
}
FN i32x4 neg_i32x4(i32x4 a) { return sub_i32x4(splat_i32x4(0), a); }
FN f32 total(f32x4 a) { return (LANE(a, 0) + LANE(a, 1)) + (LANE(a, 2) + LANE(a, 3)); }
FN f32x4 totals(f32x4 a, f32x4 b, f32x4 c, f32x4 d) { return pack_f32x4(total(a), total(b), total(c), total(d)); }
FN f32x4 slide_f32x4(f32x4 a, f32 b) { return pack_f32x4(b, LANE(a, 0), LANE(a, 1), LANE(a, 2)); }
FN i32x4 slide_i32x4(i32x4 a, i32 b) { return pack_i32x4(b, LANE(a, 0), LANE(a, 1), LANE(a, 2)); }

/* An element of a table, and of a delay line whose length less one is `mask`. */
FN f32 element(f32 const* table, i32 last, i32 i) { return table[i < 0 ? 0 : i > last ? last : i]; }
FN f32x4 elements(f32 const* table, i32 last, i32x4 i) {
    return pack_f32x4(element(table, last, LANE(i, 0)), element(table, last, LANE(i, 1)), element(table, last, LANE(i, 2)),
                      element(table, last, LANE(i, 3)));
}
FN f32x4 neighbours(f32 const* table, i32 last, i32 i) {
    return i >= 0 && i <= last - 3 ? load_f32x4(table + i)
                                   : pack_f32x4(element(table, last, i), element(table, last, add_i32(i, 1)),
                                                element(table, last, add_i32(i, 2)), element(table, last, add_i32(i, 3)));
}
FN f32x4 read4(f32 const* line, u32 mask, u32 at) {
    at &= mask;
    return at + 3 <= mask ? load_f32x4(line + at)
                          : pack_f32x4(line[at], line[(at + 1) & mask], line[(at + 2) & mask], line[(at + 3) & mask]);
}
FN f32x4 gather4(f32 const* line, u32 mask, u32 at, i32x4 ago) {
    return pack_f32x4(line[(at - (u32)LANE(ago, 0)) & mask], line[(at + 1 - (u32)LANE(ago, 1)) & mask],
                      line[(at + 2 - (u32)LANE(ago, 2)) & mask], line[(at + 3 - (u32)LANE(ago, 3)) & mask]);
}
FN void write4(f32* line, u32 mask, u32 at, f32x4 x) {
    at &= mask;
    if (at + 3 <= mask) {
        store_f32x4(line + at, x);
    } else {
        line[at] = LANE(x, 0);
        line[(at + 1) & mask] = LANE(x, 1);
        line[(at + 2) & mask] = LANE(x, 2);
        line[(at + 3) & mask] = LANE(x, 3);
    }
}
