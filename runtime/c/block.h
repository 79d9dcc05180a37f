/* Block nodes: what runtime/src/block computes, with the same sums, each rounded once.
 * SPDX-License-Identifier: 0BSD */

/* Partitions of one size. */
typedef struct {
    uint32_t size, stages, partitions, slots;
    float const* turns;                /* real parts, then imaginary parts */
    float const* factors;              /* of each stage: the first, second and third power, real and imaginary parts */
    float const* const* spectra;       /* of each response: of 64 bins of each partition real and imaginary parts, then of the next bins */
} MamLevel;
typedef struct {
    uint32_t predelay, line, levels, responses; /* frames of its line */
    float const* const* heads;         /* 64 taps of each response */
    MamLevel const* level;
} MamConvolution;

FN uint32_t mam_word(float x) {
    union { float x; uint32_t word; } as;
    as.x = x;
    return as.word;
}

FN float mam_tag(uint32_t word) {
    union { float x; uint32_t word; } as;
    as.word = word;
    return as.x;
}

/* The stage number `stage`: how far its elements are apart, and its factors. */
FN float const* mam_stage(MamLevel const* l, uint32_t stage, uint32_t* radix, uint32_t* span) {
    float const* factors = l->factors;
    uint32_t length = l->size;
    int odd = 0;
    for (uint32_t n = l->size; n > 1; n >>= 1) odd = !odd;
    for (uint32_t i = 0;; i++) {
        *radix = i == 0 && odd ? 2 : 4;
        *span = length / *radix;
        if (i == stage) return factors;
        factors += 2 * (*radix - 1) * *span;
        length = *span;
    }
}

FN void mam_butterfly2(float* re, float* im, float const* w, uint32_t span, uint32_t place, int back) {
    float* a = re + place;
    float* c = im + place;
    float wr = w[place], wi = w[span + place];
    float ar = a[0], ai = c[0], br = a[span], bi = c[span];
    if (back) {
        float r = br * wr + bi * wi, i = bi * wr - br * wi;
        a[0] = ar + r, c[0] = ai + i, a[span] = ar - r, c[span] = ai - i;
    } else {
        float r = ar - br, i = ai - bi;
        a[0] = ar + br, c[0] = ai + bi;
        a[span] = r * wr - i * wi, c[span] = r * wi + i * wr;
    }
}

FN void mam_butterfly4(float* re, float* im, float const* w, uint32_t span, uint32_t place, int back) {
    float xr[4], xi[4], yr[4], yi[4];
    for (int k = 0; k < 4; k++) {
        xr[k] = re[(uint32_t)k * span], xi[k] = im[(uint32_t)k * span];
        if (back && k > 0 && span > 1) {
            float wr = w[(uint32_t)(2 * k - 2) * span + place], wi = w[(uint32_t)(2 * k - 1) * span + place];
            float r = xr[k] * wr + xi[k] * wi, i = xi[k] * wr - xr[k] * wi;
            xr[k] = r, xi[k] = i;
        }
    }
    float sr = xr[0] + xr[2], si = xi[0] + xi[2], dr = xr[0] - xr[2], di = xi[0] - xi[2];
    float pr = xr[1] + xr[3], pi = xi[1] + xi[3];
    float tr = back ? xi[3] - xi[1] : xi[1] - xi[3], ti = back ? xr[1] - xr[3] : xr[3] - xr[1];
    yr[0] = sr + pr, yi[0] = si + pi, yr[2] = sr - pr, yi[2] = si - pi;
    yr[1] = dr + tr, yi[1] = di + ti, yr[3] = dr - tr, yi[3] = di - ti;
    for (int k = 0; k < 4; k++) {
        if (!back && k > 0 && span > 1) {
            float wr = w[(uint32_t)(2 * k - 2) * span + place], wi = w[(uint32_t)(2 * k - 1) * span + place];
            float r = yr[k] * wr - yi[k] * wi, i = yr[k] * wi + yi[k] * wr;
            yr[k] = r, yi[k] = i;
        }
        re[(uint32_t)k * span] = yr[k], im[(uint32_t)k * span] = yi[k];
    }
}

/* 64 elements of a stage. */
FN void mam_transform(MamLevel const* l, uint32_t stage, uint32_t chunk, float* re, float* im, int back) {
    uint32_t radix, span;
    float const* w = mam_stage(l, stage, &radix, &span);
    for (uint32_t b = chunk * (64 / radix); b < (chunk + 1) * (64 / radix); b++) {
        uint32_t place = b & (span - 1), group = radix * (b - place);
        if (radix == 2) mam_butterfly2(re, im, w, span, place, back);
        else mam_butterfly4(re + group + place, im + group + place, w, span, place, back);
    }
}

/* 64 elements of a block and the one before it, turned. */
FN void mam_turn(MamConvolution const* b, MamLevel const* l, float const* line, uint32_t block, uint32_t at, float* x) {
    uint32_t begin = block * l->size - b->predelay;
    for (uint32_t i = at; i < at + 64; i++) {
        float before = line[(begin - 2 * l->size + i) & (b->line - 1)];
        float now = 0.0f - line[(begin - l->size + i) & (b->line - 1)];
        float c = l->turns[i], s = l->turns[l->size + i];
        x[i] = before * c - now * s;
        x[l->size + i] = before * s + now * c;
    }
}

/* The product of 64 bins with those of a partition, added to the others. */
FN void mam_product(MamLevel const* l, uint32_t index, float* tags, float* spectra, float const* factors, float* work,
                    uint32_t product) {
    uint32_t chunk = product / l->partitions, partition = product % l->partitions, block = index - partition;
    uint32_t slot = block & (l->slots - 1);
    float const* x = spectra + slot * (2 * l->size + 64) + 64 * chunk;
    float const* h = factors + 128 * product;
    float* re = work + 4 + 64 * chunk;
    float* im = re + l->size;
    if (product == 0) work[0] = mam_tag(index + 1);
    for (int i = 0; i < 64; i++) {
        if (partition == 0) re[i] = 0.0f, im[i] = 0.0f;
        if (mam_word(tags[slot]) != block + 1) continue;
        float a = x[i], b = x[l->size + (uint32_t)i], c = h[i], d = h[64 + i];
        float r = a * c - b * d, m = a * d + b * c;
        re[i] = re[i] + r, im[i] = im[i] + m;
    }
}

FN void mam_unturn(MamLevel const* l, uint32_t index, float const* tags, float* work, uint32_t at) {
    uint32_t next = index + 1, half = next & 1;
    float const* re = work + 4;
    float* out = work + 4 + (2 + half) * l->size;
    for (uint32_t i = at; i < at + 64; i++) {
        float r = re[i] * l->turns[l->size + i], m = re[l->size + i] * l->turns[i];
        out[i] = r - m;
    }
    if (at + 64 != l->size) return;
    /* Where there was sound before, and nothing was computed of it with this response, it begins in the middle. */
    if (mam_word(tags[(index - 1) & (l->slots - 1)]) == index && mam_word(work[2 - half]) != index + 1)
        work[3] = mam_tag(next + 1);
    work[1 + half] = mam_tag(mam_word(work[0]) == index + 1 ? next + 1 : 0);
}

/* A chunk of what follows the way there, for one response. */
FN void mam_back(MamLevel const* l, uint32_t index, float* history, float const* factors, float* work, uint32_t chunk) {
    uint32_t chunks = l->size / 64, pass = chunk / chunks, place = chunk % chunks;
    float* y = work + 4;
    if (pass < l->partitions) mam_product(l, index, history, history + l->slots, factors, work, chunk);
    else if (pass < l->partitions + l->stages)
        mam_transform(l, l->partitions + l->stages - 1 - pass, place, y, y + l->size, 1);
    else mam_unturn(l, index, history, work, 64 * place);
}

FN void mam_chunk(MamConvolution const* b, MamLevel const* l, float const* line, uint32_t index, float* history, float* work,
                  uint32_t chunk) {
    uint32_t chunks = l->size / 64, pass = chunk / chunks, place = chunk % chunks, back = l->partitions + l->stages + 1;
    float* x = history + l->slots + (index & (l->slots - 1)) * (2 * l->size + 64);
    if (pass == 0) mam_turn(b, l, line, index, 64 * place, x);
    else if (pass <= l->stages) mam_transform(l, pass - 1, place, x, x + l->size, 0);
    else {
        uint32_t there = (1 + l->stages) * chunks, response = (chunk - there) / (back * chunks);
        mam_back(l, index, history, l->spectra[response], work + response * (4 + 4 * l->size),
                 (chunk - there) % (back * chunks));
    }
}

/* What is heard of a block with one response. */
FN void mam_hear(MamLevel const* l, uint32_t index, uint32_t quantum, float const* work, float* tail) {
    uint32_t heard = l->size == 64 ? index + 1 : index, half = heard & 1;
    if (mam_word(work[1 + half]) != heard + 1) return;
    float const* out = work + 4 + (2 + half) * l->size + 64 * quantum;
    int fades = mam_word(work[3]) == heard + 1;
    for (uint32_t i = 0; i < 64; i++) {
        float x = out[i];
        if (fades) x = x * ((float)(64 * quantum + i + 1) / (float)l->size);
        tail[i] = tail[i] + x;
    }
}

FN void mam_level(MamConvolution const* b, MamLevel const* l, float const* line, uint32_t frame, int goes_on, float* history,
                  float* work, float* tails) {
    uint32_t index = frame / l->size, quantum = frame % l->size / 64;
    uint32_t passes = 1 + l->stages + b->responses * (l->partitions + l->stages + 1);
    float* tag = history + (index & (l->slots - 1));
    if (quantum == 0) *tag = mam_tag(index + 1);
    else if (!goes_on) *tag = 0.0f;
    if (mam_word(*tag) == index + 1)
        for (uint32_t chunk = quantum * passes; chunk < (quantum + 1) * passes; chunk++)
            mam_chunk(b, l, line, index, history, work, chunk);
    for (uint32_t r = 0; r < b->responses; r++)
        mam_hear(l, index, quantum, work + r * (4 + 4 * l->size), tails + 64 * r);
}

/* What is heard of the past beyond the head, once in a quantum; the words of the past come before `tails`. */
FN void mam_tail(MamConvolution const* b, float const* line, uint32_t frame, float* history, float* tails) {
    float* next = tails - 1;
    float* work = tails + 64 * b->responses;
    uint32_t index = frame / 64;
    int goes_on = mam_word(*next) == index;
    *next = mam_tag((index + 1) & 0x3ffffffu);
    for (uint32_t i = 0; i < 64 * b->responses; i++) tails[i] = 0.0f;
    for (uint32_t i = 0; i < b->levels; i++) {
        MamLevel const* l = &b->level[i];
        mam_level(b, l, line, frame, goes_on, history, work, tails);
        history += l->slots * (2 * l->size + 65);
        work += b->responses * (4 + 4 * l->size);
    }
}

FN void mam_convolve(MamCall const* c, MamConvolution const* b) {
    float* history = (float*)(void*)c->state;
    float* line = c->delays[0];
    float* tails = history + 1;
    for (uint32_t i = 0; i < b->levels; i++) tails += b->level[i].slots * (2 * b->level[i].size + 65);
    if (c->frame % 64 == 0) mam_tail(b, line, c->frame, history, tails);
    for (uint32_t i = 0; i < c->frames; i++) {
        float x = c->inputs[0][i];
        line[(c->frame + i) & (b->line - 1)] = x < 1e-20f && x > -1e-20f ? 0.0f : x;
    }
    for (uint32_t r = 0; r < b->responses; r++)
        for (uint32_t i = 0; i < c->frames; i++) {
            float sum = 0.0f;
            for (uint32_t k = 0; k < 64; k++) {
                float product = b->heads[r][k] * line[(c->frame + i - b->predelay - k) & (b->line - 1)];
                sum = sum + product;
            }
            sum = sum + tails[64 * r + c->frame % 64 + i];
            if (sum < 1.17549435e-38f && sum > -1.17549435e-38f) sum = 0.0f * sum;
            c->outputs[r][i] = sum;
        }
}

/* An end of a spectral region. */
typedef struct {
    MamLevel transform;                /* of half as many elements as a piece has samples; it has no partitions */
    uint32_t hop, streams;
    uint32_t const* places;            /* of each bin behind the transform */
    float const* turns;                /* cosines of the bins' angles, then sines */
    float const* window;
} MamSpectrum;

FN float mam_silenced(float x) {
    return x < 1e-20f && x > -1e-20f ? 0.0f : x;
}

/* Begins a quantum: what is known of the past ends where the one before was not rendered. */
FN void mam_begin_bins(MamSpectrum const* b, uint32_t frame, float* words, uint32_t sums) {
    uint32_t streams = 2 * b->streams * b->hop, index = frame / 64;
    if (mam_word(words[0]) != index) {
        for (uint32_t i = 0; i < streams; i++) words[1 + i] = 0.0f;
        for (uint32_t i = 0; i < sums; i++) words[1 + streams + 2 * b->transform.size + i] = 0.0f;
    }
    words[0] = mam_tag((index + 1) & 0x3ffffffu);
}

FN void mam_transform_all(MamLevel const* l, float* re, float* im, int back) {
    for (uint32_t i = 0; i < l->stages; i++)
        for (uint32_t chunk = 0; chunk < l->size / 64; chunk++)
            mam_transform(l, back ? l->stages - 1 - i : i, chunk, re, im, back);
}

FN void mam_take_apart(MamSpectrum const* b, uint32_t first, float const* line, float* streams) {
    uint32_t half = b->transform.size, mask = 2 * half - 1;
    float* streams_im = streams + b->streams * b->hop;
    float* re = streams + 2 * b->streams * b->hop;
    float* im = re + half;
    for (uint32_t n = 0; n < half; n++) {
        re[n] = line[(first + 2 * n) & mask] * b->window[2 * n];
        im[n] = line[(first + 2 * n + 1) & mask] * b->window[2 * n + 1];
    }
    mam_transform_all(&b->transform, re, im, 0);
    for (uint32_t k = 0; k <= half; k++) {
        uint32_t p = b->places[k & (half - 1)], q = b->places[(half - k) & (half - 1)];
        float er = re[p] + re[q], ei = im[p] - im[q], or_ = im[p] + im[q], oi = re[q] - re[p];
        float c = b->turns[k], s = b->turns[half + 1 + k];
        float x = c * or_, y = s * oi, z = c * oi, w = s * or_;
        float real = x + y, imaginary = z - w;
        real = er + real, imaginary = ei + imaginary;
        int edge = k == 0 || k == half;
        streams[k] = mam_silenced(edge ? 0.5f * real : real);
        streams_im[k] = edge ? 0.0f : mam_silenced(imaginary);
    }
}

FN void mam_analyse(MamCall const* c, MamSpectrum const* b) {
    float* words = (float*)(void*)c->state;
    float* line = c->delays[0];
    uint32_t size = 2 * b->transform.size, at = c->frame & (b->hop - 1), half = b->streams * b->hop;
    if (c->frame % 64 == 0) {
        mam_begin_bins(b, c->frame, words, 0);
        if (at == 0) mam_take_apart(b, c->frame & (size - 1), line, words + 1);
    }
    for (uint32_t stream = 0; stream < b->streams; stream++)
        for (uint32_t part = 0; part < 2; part++)
            for (uint32_t i = 0; i < c->frames; i++)
                c->outputs[2 * stream + part][i] = words[1 + part * half + stream * b->hop + at + i];
    for (uint32_t i = 0; i < c->frames; i++)
        line[(c->frame + i) & (size - 1)] = mam_silenced(c->inputs[0][i]);
}

FN void mam_put_together(MamSpectrum const* b, uint32_t first, float* streams) {
    uint32_t half = b->transform.size, mask = 2 * half - 1;
    float const* bins_im = streams + b->streams * b->hop;
    float* re = streams + 2 * b->streams * b->hop;
    float* im = re + half;
    float* sums = im + half;
    for (uint32_t k = 0; k < half; k++) {
        uint32_t m = half - k;
        float pr = k == 0 ? 2.0f * streams[0] : streams[k], pi = k == 0 ? 0.0f : bins_im[k];
        float qr = m == half ? 2.0f * streams[half] : streams[m], qi = m == half ? 0.0f : bins_im[m];
        float er = pr + qr, ei = pi - qi, dr = pr - qr, di = pi + qi;
        float co = b->turns[k], s = b->turns[half + 1 + k];
        float x = dr * s, y = di * co, z = dr * co, w = di * s;
        float sum = x + y, difference = z - w;
        re[b->places[k]] = er - sum;
        im[b->places[k]] = ei + difference;
    }
    mam_transform_all(&b->transform, re, im, 1);
    for (uint32_t n = 0; n < half; n++) {
        float even = re[n] * b->window[2 * n], odd = im[n] * b->window[2 * n + 1];
        float* a = sums + ((first + 2 * n) & mask);
        float* z = sums + ((first + 2 * n + 1) & mask);
        *a = *a + even;
        *z = *z + odd;
    }
}

FN void mam_synthesise(MamCall const* c, MamSpectrum const* b) {
    float* words = (float*)(void*)c->state;
    uint32_t size = 2 * b->transform.size, at = c->frame & (b->hop - 1), half = b->streams * b->hop;
    float* sums = words + 1 + 2 * half + size;
    if (c->frame % 64 == 0) {
        mam_begin_bins(b, c->frame, words, size);
        if (at == 0) mam_put_together(b, c->frame & (size - 1), words + 1);
    }
    for (uint32_t i = 0; i < c->frames; i++) {
        float* sum = sums + ((c->frame + i) & (size - 1));
        c->outputs[0][i] = mam_silenced(*sum);
        *sum = 0.0f;
    }
    for (uint32_t stream = 0; stream < b->streams; stream++)
        for (uint32_t part = 0; part < 2; part++)
            for (uint32_t i = 0; i < c->frames; i++)
                words[1 + part * half + stream * b->hop + at + i] = mam_silenced(c->inputs[2 * stream + part][i]);
}

/* A sound that is stretched. */
typedef struct {
    uint32_t channels, frames, hop;
    float ratio;
    float const* const* sounds;        /* with 16 samples before and behind */
    float const* mono;
    float const* coarse;
    float const* window;
    float const* weights;
} MamStretch;
typedef struct {
    int sounds;
    int64_t whole;
    float part, rate;
} MamGrain;

FN MamGrain mam_grain(float const* words) {
    MamGrain g;
    g.sounds = words[0] > 0.0f;
    g.whole = (int64_t)words[1] * 4096 + (int64_t)words[2];
    g.part = words[3], g.rate = words[4];
    return g;
}

FN void mam_keep_grain(MamGrain g, float* words) {
    words[0] = g.sounds ? 1.0f : 0.0f;
    words[1] = (float)(g.whole / 4096), words[2] = (float)(g.whole % 4096);
    words[3] = g.part, words[4] = g.rate;
}

FN int64_t mam_floor(double x) {
    int64_t whole = (int64_t)x;
    return (double)whole > x ? whole - 1 : whole;
}

FN int64_t mam_round_way(int64_t x, int64_t frames) {
    int64_t rest = x % frames;
    return rest < 0 ? rest + frames : rest;
}

FN MamGrain mam_moved(MamStretch const* b, int64_t whole, float part, double frames, float rate) {
    double product = frames * (double)rate, way = (double)part + product;
    int64_t floor = mam_floor(way);
    MamGrain g;
    g.sounds = 1, g.whole = mam_round_way(whole + floor, b->frames);
    g.part = (float)(way - (double)floor), g.rate = rate;
    return g;
}

FN float mam_lanes(float const* x) {
    float a = x[0] + x[4], b = x[2] + x[6], c = x[1] + x[5], d = x[3] + x[7];
    float e = a + b, f = c + d;
    return e + f;
}

FN float mam_likeness(float const* a, float const* b, uint32_t length) {
    float products[8], squares[8];
    for (int i = 0; i < 8; i++) products[i] = 0.0f, squares[i] = 0.0f;
    for (uint32_t at = 0; at < length; at += 8)
        for (uint32_t i = 0; i < 8; i++) {
            float product = a[at + i] * b[at + i], square = b[at + i] * b[at + i];
            products[i] = products[i] + product, squares[i] = squares[i] + square;
        }
    float product = mam_lanes(products), energy = mam_lanes(squares) + 1e-12f;
    float size = (product < 0.0f ? -product : product) / energy;
    return product * size;
}

FN int64_t mam_search(MamStretch const* b, int64_t asked, int64_t natural) {
    uint32_t length = b->hop / 4, best = 0;
    uint32_t start = (uint32_t)mam_round_way(asked - b->hop / 2, b->frames) / 4;
    float greatest = 0.0f;
    for (uint32_t i = 0; i <= length; i++) {
        float likeness = mam_likeness(b->coarse + natural / 4, b->coarse + start + i, length);
        if (i == 0 || likeness > greatest) best = i, greatest = likeness;
    }
    int64_t around = 4 * (int64_t)(start + best), found = around, first = around < 4 ? 0 : around - 4;
    for (int64_t i = first; i <= around + 4; i++) {
        float likeness = mam_likeness(b->mono + natural, b->mono + i, b->hop);
        if (i == first || likeness > greatest) found = i, greatest = likeness;
    }
    return mam_round_way(found, b->frames);
}

FN void mam_begin_grain(MamStretch const* b, uint32_t frame, uint32_t at, float place, float pitch, float* words) {
    uint32_t index = frame / 64;
    int goes_on = mam_word(words[0]) == index;
    words[0] = mam_tag((index + 1) & 0x3ffffffu);
    MamGrain now = mam_grain(words + 1), none = { 0, 0, 0.0f, 0.0f };
    float rate = pitch != pitch ? b->ratio : pitch * b->ratio;
    rate = rate < 0.015625f ? 0.015625f : rate > 64.0f ? 64.0f : rate;
    double where = place < 1e9f && place > -1e9f ? (double)place : 0.0;
    where = (where - (double)mam_floor(where)) * (double)b->frames;
    int64_t asked = (int64_t)where % (int64_t)b->frames;
    if (pitch <= 0.0f) {
        if (at == 0 || !goes_on) {
            mam_keep_grain(goes_on ? now : none, words + 6);
            mam_keep_grain(none, words + 1);
        }
    } else if (!goes_on || !now.sounds) {
        mam_keep_grain(mam_moved(b, asked, 0.0f, -(double)at, rate), words + 1);
        mam_keep_grain(mam_moved(b, asked, 0.0f, -(double)(at + b->hop), rate), words + 6);
    } else if (at == 0) {
        mam_keep_grain(now, words + 6);
        MamGrain next = mam_moved(b, now.whole, now.part, (double)b->hop, now.rate);
        int64_t way = mam_round_way(next.whole - asked, b->frames);
        if (2 * way > (int64_t)b->frames) way -= b->frames;
        if ((way < 0 ? -way : way) > (int64_t)b->hop / 2) {
            next.whole = mam_search(b, asked, next.whole);
            next.part = 0.0f;
        }
        next.rate = rate;
        mam_keep_grain(next, words + 1);
    }
}

FN float mam_between(MamStretch const* b, float const* sound, uint32_t at, float part) {
    float scaled = part * 256.0f, sums[8];
    uint32_t row = (uint32_t)scaled < 255u ? (uint32_t)scaled : 255u;
    float rest = scaled - (float)row;
    float const* weights = b->weights + 16 * row;
    for (int i = 0; i < 8; i++) sums[i] = 0.0f;
    for (uint32_t k = 0; k < 16; k++) {
        float step = weights[16 + k] - weights[k], more = rest * step, weight = weights[k] + more;
        float product = weight * sound[at + 9 + k];
        sums[k & 7] = sums[k & 7] + product;
    }
    return mam_lanes(sums);
}

FN void mam_add_grain(MamStretch const* b, float const* sound, MamGrain g, uint32_t first, uint32_t offset, uint32_t frames,
                      float* out) {
    MamGrain begin = mam_moved(b, g.whole, g.part, (double)first, g.rate);
    for (uint32_t i = 0; i < frames; i++) {
        double product = (double)(offset + i) * (double)g.rate, way = (double)begin.part + product;
        int64_t floor = mam_floor(way), at = begin.whole + floor;
        while (at >= (int64_t)b->frames) at -= b->frames;
        float value = b->window[first + offset + i] * mam_between(b, sound, (uint32_t)at, (float)(way - (double)floor));
        out[i] = out[i] + value;
    }
}

FN void mam_stretch(MamCall const* c, MamStretch const* b) {
    float* words = (float*)(void*)c->state;
    uint32_t offset = c->frame % 64, at = c->frame & (b->hop - 1);
    if (offset == 0) mam_begin_grain(b, c->frame, at, c->inputs[0][0], c->inputs[1][0], words);
    MamGrain before = mam_grain(words + 6), now = mam_grain(words + 1);
    for (uint32_t channel = 0; channel < b->channels; channel++) {
        float* out = c->outputs[channel];
        for (uint32_t i = 0; i < c->frames; i++) out[i] = 0.0f;
        if (before.sounds) mam_add_grain(b, b->sounds[channel], before, at - offset + b->hop, offset, c->frames, out);
        if (now.sounds) mam_add_grain(b, b->sounds[channel], now, at - offset, offset, c->frames, out);
    }
}
