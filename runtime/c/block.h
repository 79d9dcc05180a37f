/* Block nodes: what runtime/src/block computes, with the same sums, each rounded once.
 * SPDX-License-Identifier: 0BSD */

/* Partitions of one size. */
typedef struct {
    uint32_t size, stages, partitions, slots;
    float const* turns;                /* real parts, then imaginary parts */
    float const* factors;              /* of each stage: the first, second and third power, real and imaginary parts */
    float const* spectra;              /* of 64 bins of each partition real and imaginary parts, then of the next bins */
} MamLevel;
typedef struct {
    uint32_t predelay, line, levels;   /* frames of its line */
    float const* head;                 /* 64 taps */
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
FN void mam_product(MamLevel const* l, uint32_t index, float* tags, float* spectra, float* work, uint32_t product) {
    uint32_t chunk = product / l->partitions, partition = product % l->partitions, block = index - partition;
    uint32_t slot = block & (l->slots - 1);
    float const* x = spectra + slot * (2 * l->size + 64) + 64 * chunk;
    float const* h = l->spectra + 128 * product;
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

FN void mam_chunk(MamConvolution const* b, MamLevel const* l, float const* line, uint32_t index, float* history,
                      float* work, uint32_t chunk) {
    uint32_t chunks = l->size / 64, pass = chunk / chunks, place = chunk % chunks;
    float* spectra = history + l->slots;
    float* x = spectra + (index & (l->slots - 1)) * (2 * l->size + 64);
    float* y = work + 4;
    if (pass == 0) mam_turn(b, l, line, index, 64 * place, x);
    else if (pass <= l->stages) mam_transform(l, pass - 1, place, x, x + l->size, 0);
    else if (pass <= l->stages + l->partitions)
        mam_product(l, index, history, spectra, work, chunk - (1 + l->stages) * chunks);
    else if (pass <= 2 * l->stages + l->partitions)
        mam_transform(l, 2 * l->stages + l->partitions - pass, place, y, y + l->size, 1);
    else mam_unturn(l, index, history, work, 64 * place);
}

FN void mam_level(MamConvolution const* b, MamLevel const* l, float const* line, uint32_t frame, int goes_on,
                      float* history, float* work, float* tail) {
    uint32_t index = frame / l->size, quantum = frame % l->size / 64, passes = 2 + 2 * l->stages + l->partitions;
    float* tag = history + (index & (l->slots - 1));
    if (quantum == 0) *tag = mam_tag(index + 1);
    else if (!goes_on) *tag = 0.0f;
    if (mam_word(*tag) == index + 1)
        for (uint32_t chunk = quantum * passes; chunk < (quantum + 1) * passes; chunk++)
            mam_chunk(b, l, line, index, history, work, chunk);
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

/* What is heard of the past beyond the head, once in a quantum; the words of the past come before `tail`. */
FN void mam_tail(MamConvolution const* b, float const* line, uint32_t frame, float* history, float* tail) {
    float* next = tail - 1;
    float* work = tail + 64;
    uint32_t index = frame / 64;
    int goes_on = mam_word(*next) == index;
    *next = mam_tag((index + 1) & 0x3ffffffu);
    for (int i = 0; i < 64; i++) tail[i] = 0.0f;
    for (uint32_t i = 0; i < b->levels; i++) {
        MamLevel const* l = &b->level[i];
        mam_level(b, l, line, frame, goes_on, history, work, tail);
        history += l->slots * (2 * l->size + 65);
        work += 4 + 4 * l->size;
    }
}

FN void mam_convolve(MamCall const* c, MamConvolution const* b) {
    float* history = (float*)(void*)c->state;
    float* line = c->delays[0];
    float* tail = history + 1;
    for (uint32_t i = 0; i < b->levels; i++) tail += b->level[i].slots * (2 * b->level[i].size + 65);
    if (c->frame % 64 == 0) mam_tail(b, line, c->frame, history, tail);
    for (uint32_t i = 0; i < c->frames; i++) {
        float x = c->inputs[0][i];
        line[(c->frame + i) & (b->line - 1)] = x < 1e-20f && x > -1e-20f ? 0.0f : x;
    }
    for (uint32_t i = 0; i < c->frames; i++) {
        float sum = 0.0f;
        for (uint32_t k = 0; k < 64; k++) {
            float product = b->head[k] * line[(c->frame + i - b->predelay - k) & (b->line - 1)];
            sum = sum + product;
        }
        sum = sum + tail[c->frame % 64 + i];
        if (sum < 1.17549435e-38f && sum > -1.17549435e-38f) sum = 0.0f * sum;
        c->outputs[0][i] = sum;
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
