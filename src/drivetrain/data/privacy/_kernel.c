/* One look at every byte of a text: e-mail addresses, URLs with a user and IPv4 addresses as `patterns.py` finds them,
   and the places where `candidates.py` says that a number, an address or a postal address may be.

   What is found goes into a plain array of triples; nothing outside the text is read. Only the stable ABI of Python 3.11
   is used, so that one build serves every later one. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The order of `FOUND` in patterns.py, then of the kinds of places. */
enum { ADDRESS, MESSAGE, DIGITS, LOGIN, IP, VERSION, PHONE, NUMBER, LETTERED, COLON, HOUSE };

enum { IS_DIGIT = 1, IS_UPPER = 2, IS_LOWER = 4, IS_LOCAL = 8, IS_GAP = 16, IS_HEX = 32, ENDS_USER = 64, STARTS = 128 };
enum { IS_LETTER = IS_UPPER | IS_LOWER, IS_ALNUM = IS_DIGIT | IS_LETTER };

static unsigned char kinds[256];

typedef struct {
    const unsigned char *data;
    Py_ssize_t size;
    int64_t *found;
    Py_ssize_t many, room;
    int failed;
} Text;

/* A run of digits: where it begins, how long it is, and whether only a little lies between it and the one before. */
typedef struct {
    Py_ssize_t first, many;
    int chained;
} Run;

#define RUNS 8 /* a power of two, and as many as the longest shape has */

static inline unsigned char byte_at(const Text *text, Py_ssize_t place) {
    return place >= 0 && place < text->size ? text->data[place] : 0;
}

static inline int is(const Text *text, Py_ssize_t place, int kind) { return kinds[byte_at(text, place)] & kind; }
static inline int is_word(unsigned char byte) { return (kinds[byte] & IS_ALNUM) || byte == '_'; }
static inline int is_space(unsigned char byte) { return byte == ' ' || (byte >= '\t' && byte <= '\r'); }

static void tell(Text *text, int64_t what, Py_ssize_t start, Py_ssize_t end) {
    if (text->many + 3 > text->room) {
        Py_ssize_t room = text->room ? text->room * 2 : 3 * 256;
        int64_t *wider = realloc(text->found, (size_t)room * sizeof(int64_t));
        if (!wider) {
            text->failed = 1;
            return;
        }
        text->found = wider;
        text->room = room;
    }
    memcpy(text->found + text->many, (const int64_t[]){what, start, end}, 3 * sizeof(int64_t));
    text->many += 3;
}

/* Whether text from a place on is a word in small letters, whatever the case. */
static int reads(const Text *text, Py_ssize_t place, const char *word) {
    for (; *word; word++, place++) {
        unsigned char byte = byte_at(text, place);
        if ((kinds[byte] & IS_UPPER ? byte | 32 : byte) != (unsigned char)*word) return 0;
    }
    return 1;
}

/* The URL whose user an `@` ends; its end, or 0. */
static Py_ssize_t login(const Text *text, Py_ssize_t at, Py_ssize_t *start) {
    Py_ssize_t least = at > 96 ? at - 96 : 0, slash = at - 1;
    while (slash >= least && !(kinds[text->data[slash]] & ENDS_USER)) slash--;
    if (slash - 2 < least || slash == at - 1 || text->data[slash] != '/' || text->data[slash - 1] != '/' ||
        text->data[slash - 2] != ':' || text->data[slash + 1] == ':')
        return 0;
    Py_ssize_t end = slash - 2, first = end;
    while (first > least && first > end - 16 &&
           ((kinds[text->data[first - 1]] & IS_ALNUM) || (text->data[first - 1] && strchr("+.-", text->data[first - 1]))))
        first--;
    while (first < end && !(kinds[text->data[first]] & IS_LETTER)) first++;
    if (end - first < 2) return 0;
    Py_ssize_t host = at + 1;
    while (is(text, host, IS_ALNUM) || byte_at(text, host) == '.' || byte_at(text, host) == '-') host++;
    *start = first;
    return host;
}

/* The end of the domain that begins at a place, or 0. */
static Py_ssize_t domain(const Text *text, Py_ssize_t place) {
    Py_ssize_t best = 0;
    for (int label = 0;; label++) {
        Py_ssize_t first = place;
        int letters = 1;
        for (; is(text, place, IS_ALNUM) || byte_at(text, place) == '-'; place++)
            letters = letters && is(text, place, IS_LETTER);
        Py_ssize_t many = place - first;
        if (label && letters && many >= 2 && many <= 24) best = place;
        if (!many || many > 63 || text->data[first] == '-' || text->data[place - 1] == '-' ||
            byte_at(text, place) != '.')
            return best;
        place++;
    }
}

/* Whether the header that a place stands in is one of ids of messages; headers may be folded, and quoted. */
static int in_ids(const Text *text, Py_ssize_t place) {
    static const char *const ids[] = {"message-id",  "in-reply-to",       "references",
                                      "content-id", "resent-message-id", NULL};
    Py_ssize_t end = place;
    for (int line = 0; line < 12; line++) {
        Py_ssize_t least = end > 1000 ? end - 1000 : 0, begin = end;
        while (begin > least && text->data[begin - 1] != '\n') begin--;
        if (begin == least && least > 0) return 0;
        Py_ssize_t head = begin, after;
        while (head < end && text->data[head] && strchr(" \t>|", text->data[head])) head++;
        for (after = head; after < end && ((kinds[text->data[after]] & IS_LETTER) || text->data[after] == '-');) after++;
        if (after > head && after < end && text->data[after] == ':') {
            for (int at = 0; ids[at]; at++)
                if ((Py_ssize_t)strlen(ids[at]) == after - head && reads(text, head, ids[at])) return 1;
            return 0;
        }
        if (!begin || (byte_at(text, begin) != ' ' && byte_at(text, begin) != '\t')) return 0;
        end = begin - 1;
    }
    return 0;
}

static void at_sign(Text *text, Py_ssize_t at) {
    Py_ssize_t start = 0, end = login(text, at, &start);
    if (end) {
        if (end > at + 1) tell(text, LOGIN, start, end);
        return;
    }
    start = at;
    while (start > 0 && at - start <= 64 && (kinds[text->data[start - 1]] & IS_LOCAL)) start--;
    if (at - start > 64 || at == start || text->data[at - 1] == '.') return;
    if (byte_at(text, start - 1) == '=' && at - start > 2) /* quoted-printable */
        for (const char *code = "203D223C3A09"; *code; code += 2)
            if (!memcmp(text->data + start, code, 2)) {
                start += 2;
                break;
            }
    while (start < at && strchr(".'-", text->data[start])) start++;
    Py_ssize_t many = at - start, digits = 0;
    if (!many) return;
    for (Py_ssize_t place = start; place < at; place++) {
        digits += kinds[text->data[place]] & IS_DIGIT;
        if (text->data[place] == '.' && text->data[place + 1] == '.') return;
    }
    end = domain(text, at + 1);
    if (!end) return;
    int what = ADDRESS;
    Py_ssize_t opened = start - 1, least = start > 64 ? start - 64 : 0;
    while (opened > least && text->data[opened] > ' ' && text->data[opened] != '<' && text->data[opened] != '>') opened--;
    if (byte_at(text, opened) == '<' && (digits || at - opened > 20) && in_ids(text, start)) what = MESSAGE;
    else if (digits > 8 && digits * 4 > many * 3) what = DIGITS;
    tell(text, what, start, end);
}

/* Whether a word right before a place says that a version follows. */
static int versioned(const Text *text, Py_ssize_t place) {
    static const char *const words[] = {"version", "release", "build", "ver.", "ver", "v", NULL};
    Py_ssize_t least = place > 40 ? place - 40 : 0, end = place;
    while (end > least && is_space(text->data[end - 1]) && text->data[end - 1] != '\n') end--;
    for (int word = 0; words[word]; word++) {
        Py_ssize_t start = end - (Py_ssize_t)strlen(words[word]);
        if (start >= least && reads(text, start, words[word]) && (start == least || !is_word(text->data[start - 1])))
            return 1;
    }
    return 0;
}

static void dotted(Text *text, Py_ssize_t start) {
    unsigned char before = byte_at(text, start - 1);
    if (is_word(before) || before == '.' || before == '-') return;
    Py_ssize_t place = start;
    for (int part = 0; part < 4; part++) {
        Py_ssize_t first = place;
        int value = 0;
        for (; is(text, place, IS_DIGIT) && place - first < 4; place++) value = value * 10 + text->data[place] - '0';
        Py_ssize_t many = place - first;
        if (!many || many > 3 || value > 255 || (many > 1 && text->data[first] == '0')) return;
        if (part < 3 && byte_at(text, place++) != '.') return;
    }
    unsigned char after = byte_at(text, place);
    if ((kinds[after] & IS_LETTER) || after == '-' || (after == '.' && is(text, place + 1, IS_DIGIT))) return;
    tell(text, versioned(text, start) ? VERSION : IP, start, place);
}

/* How many digits a chain has from a run on; no more than seven are counted. */
static Py_ssize_t ahead(const Text *text, Py_ssize_t place) {
    Py_ssize_t digits = 0, gap = 0;
    for (; digits < 7 && gap <= 3; place++) {
        if (is(text, place, IS_DIGIT)) {
            digits++;
            gap = 0;
        } else if (is(text, place, IS_GAP)) {
            gap++;
        } else {
            break;
        }
    }
    return digits;
}

static int street_words(const Text *text, Py_ssize_t place) {
    static const char *const ends[] = {
        "Street", "St",    "Avenue",  "Ave",     "Road", "Rd",  "Boulevard", "Blvd",   "Lane",  "Ln",  "Drive",
        "Dr",     "Court", "Ct",      "Square",  "Sq",   "Terrace", "Place", "Pl",     "Highway", "Hwy", "Parkway",
        "Pkwy",   "Way",   "Close",   "Crescent", "Suite", "Ste", "Apt",     "Unit",   "Floor", NULL};
    for (int word = 0; word < 7; word++) {
        Py_ssize_t first = place;
        if (is(text, place, IS_DIGIT)) {
            while (is(text, place, IS_ALNUM)) place++;
        } else {
            if (!is(text, place, IS_UPPER)) return 0;
            for (int at = 0; word && ends[at]; at++) {
                Py_ssize_t many = (Py_ssize_t)strlen(ends[at]);
                if (text->size - first >= many && !memcmp(text->data + first, ends[at], (size_t)many) &&
                    !is_word(byte_at(text, first + many)))
                    return 1;
            }
            while (is(text, place, IS_LETTER) || byte_at(text, place) == '\'' || byte_at(text, place) == '-') place++;
        }
        if (byte_at(text, place) == '.') place++;
        if (byte_at(text, place) == ',') place++;
        if (byte_at(text, place++) != ' ') return 0;
    }
    return 0;
}

static int house(const Text *text, Py_ssize_t first, Py_ssize_t end) {
    unsigned char near = byte_at(text, first - 1);
    if ((kinds[near] & IS_ALNUM) || (near && strchr(".-/:$", near))) return 0;
    Py_ssize_t place = end + (is(text, end, IS_LETTER) ? 1 : 0);
    place += byte_at(text, place) == ',';
    if (byte_at(text, place) == ' ' && street_words(text, place + 1)) return 1;
    place = end + (byte_at(text, end) == ',');
    if (byte_at(text, place) == ' ' && text->size - place > 3)
        for (const char *name = "rueavebouplacheimp"; *name; name += 3)
            if (!memcmp(text->data + place + 1, name, 3)) return 1;
    if (near != ' ' || first < 4) return 0;
    for (const char *name = "\xc3\x9f""essetr.wegatzlee"; *name; name += 3)
        if (!memcmp(text->data + first - 4, name, 3)) return 1;
    return reads(text, first - 4, "box");
}

/* How many capitals and digits follow, single spaces aside: thirteen at most; none where fewer than six are digits
   and there are fewer than ten. */
static int code(const Text *text, Py_ssize_t place) {
    int many = 0, digits = 0;
    for (; many < 13 && is(text, place, IS_UPPER | IS_DIGIT); many++) {
        digits += digits == many && is(text, place, IS_DIGIT);
        place += byte_at(text, place + 1) == ' ' ? 2 : 1;
    }
    return digits >= 6 ? 13 : many >= 10 ? many : 0;
}

/* Whether letters beside a run make it part of a number that has some. */
static int lettered(const Text *text, Py_ssize_t first, Py_ssize_t many) {
    Py_ssize_t end = first + many;
    if (many >= 2 && is(text, first - 1, IS_UPPER) && is(text, first - 2, IS_UPPER)) {
        if (!is(text, first - 3, IS_ALNUM)) return code(text, first) == 13;
        Py_ssize_t place = first - 3;
        while (place >= first - 6 && is(text, place, IS_UPPER)) place--;
        if (many == 2 && place == first - 7 && !is(text, place, IS_ALNUM) && code(text, first)) return 1;
    }
    if ((many == 2 || many == 6) && byte_at(text, first - 1) == ' ' && is(text, first - 2, IS_UPPER) &&
        is(text, first - 3, IS_UPPER) && !is(text, first - 4, IS_ALNUM) && code(text, first) == 13)
        return 1;
    if (many == 7) {
        Py_ssize_t place = first - 1 - (byte_at(text, first - 1) == '-');
        unsigned char sign = byte_at(text, place);
        if (sign >= 'X' && sign <= 'Z' && !is(text, place - 1, IS_ALNUM)) return 1;
    }
    if (is(text, first - 1, IS_ALNUM)) return 0;
    if (many == 8 && is(text, end + (byte_at(text, end) == '-'), IS_UPPER)) return 1;
    return text->data[end - 1] == '2' && (byte_at(text, end) == 'A' || byte_at(text, end) == 'B');
}

/* Whether the last runs have these lengths, and only a little between them. */
static int shaped(const Run *runs, Py_ssize_t last, const int *lengths, int many) {
    for (int at = 0; at < many; at++) {
        const Run *run = &runs[(last - many + 1 + at) & (RUNS - 1)];
        if (run->many != lengths[at] || (at && !run->chained)) return 0;
    }
    return 1;
}

static void numbers(Text *text, const Run *runs, Py_ssize_t last) {
    static const int shapes[][RUNS] = {{3, 3, 2, 4}, {3, 4, 2, 3}, {4, 2, 3, 3, 3}, {7, 1, 2, 2, 2, 3, 3, 2},
                                       {2, 13, 2},   {3, 4, 4, 4}, {3, 4, 6, 5}};
    const Run *run = &runs[last & (RUNS - 1)];
    Py_ssize_t first = run->first, many = run->many, end = first + many;
    unsigned char before = byte_at(text, first - 1), two = byte_at(text, first - 2);
    if (many <= 3 && byte_at(text, end) == '.') dotted(text, first);
    int begins = !is_word(before) && !(before && strchr("+.-/", before));
    int abroad = before == '+' && text->data[first] != '0' && !is_word(two) && !(two && strchr("+.-/", two));
    if ((abroad || (begins && text->data[first] == '0' && many > 1)) && ahead(text, first) >= 7)
        tell(text, PHONE, first, end);
    if (last && shaped(runs, last, (const int[]){3, 4}, 2)) tell(text, PHONE, runs[(last - 1) & (RUNS - 1)].first, end);
    for (size_t at = 0; at < sizeof(shapes) / sizeof(shapes[0]); at++) {
        int parts = shapes[at][0];
        if (last + 1 >= parts && shaped(runs, last, shapes[at] + 1, parts))
            tell(text, NUMBER, runs[(last - parts + 1) & (RUNS - 1)].first, end);
    }
    int card = many >= 13 && many <= 19 && text->data[first] > '2' && text->data[first] < '7';
    if ((card || many == 9 || many == 11 || many == 15 || many == 16) && !is_word(before) &&
        !is_word(byte_at(text, end)))
        tell(text, NUMBER, first, end);
    if (lettered(text, first, many)) tell(text, LETTERED, first, end);
    if (many <= 6 && house(text, first, end)) tell(text, HOUSE, first, end);
}

static void separated(Text *text, Py_ssize_t place) {
    if (text->data[place] == '-') {
        for (int at = -2; at <= 5; at++)
            if (at == 0 || at == 3 ? byte_at(text, place + at) != '-' : !is(text, place + at, IS_HEX)) return;
        if (byte_at(text, place + 6) == '-') tell(text, COLON, place, place + 1);
        return;
    }
    int more = 0;
    for (Py_ssize_t from = place, next = place + 1; more < 2 && next <= from + 5; next++)
        if (byte_at(text, next) == ':') {
            from = next;
            more++;
        }
    if (more == 2 || byte_at(text, place + 1) == ':') tell(text, COLON, place, place + 1);
}

static void look(Text *text) {
    Run runs[RUNS];
    Py_ssize_t last = -1, ended = -5;
    memset(runs, 0, sizeof(runs));
    for (Py_ssize_t place = 0; place < text->size && !text->failed; place++) {
        unsigned char byte = text->data[place];
        if (!(kinds[byte] & STARTS)) continue;
        if (byte == '@') {
            at_sign(text, place);
        } else if (kinds[byte] & IS_DIGIT) {
            Py_ssize_t first = place;
            while (place + 1 < text->size && (kinds[text->data[place + 1]] & IS_DIGIT)) place++;
            int chained = first - ended <= 3;
            for (Py_ssize_t gap = ended; chained && gap < first; gap++) chained = kinds[text->data[gap]] & IS_GAP;
            runs[++last & (RUNS - 1)] = (Run){first, place + 1 - first, chained};
            ended = place + 1;
            numbers(text, runs, last);
        } else {
            separated(text, place);
        }
    }
}

/* find(data) -> bytes: what, start, end of each finding, as 64-bit integers. */
static PyObject *find(PyObject *module, PyObject *given) {
    (void)module;
    Py_buffer buffer;
    if (PyObject_GetBuffer(given, &buffer, PyBUF_SIMPLE)) return NULL;
    Text text = {.data = buffer.buf, .size = buffer.len};
    Py_BEGIN_ALLOW_THREADS
    look(&text);
    Py_END_ALLOW_THREADS
    PyBuffer_Release(&buffer);
    PyObject *answer = text.failed ? PyErr_NoMemory()
                                   : PyBytes_FromStringAndSize((const char *)text.found,
                                                               text.many * (Py_ssize_t)sizeof(int64_t));
    free(text.found);
    return answer;
}

static void mark(const char *bytes, int kind) {
    for (; *bytes; bytes++) kinds[(unsigned char)*bytes] |= (unsigned char)kind;
}

static int filled(PyObject *module) {
    (void)module;
    for (int byte = '0'; byte <= '9'; byte++) kinds[byte] |= IS_DIGIT | IS_LOCAL | IS_HEX | STARTS;
    for (int byte = 'a'; byte <= 'z'; byte++) {
        kinds[byte] |= IS_LOWER | IS_LOCAL | (byte <= 'f' ? IS_HEX : 0);
        kinds[byte - 32] |= IS_UPPER | IS_LOCAL | (byte <= 'f' ? IS_HEX : 0);
    }
    mark("._%+'~-", IS_LOCAL);
    mark(" .-()/", IS_GAP);
    mark(" \t\n\r\v\f/@<>\"'&?#", ENDS_USER);
    mark("@:-", STARTS);
    return 0;
}

static PyMethodDef functions[] = {
    {"find", find, METH_O, "What is found in a text, and where more may be."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {{Py_mod_exec, filled}, {0, NULL}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_kernel", "Personal data in text, found in one look.", 0, functions, slots, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__kernel(void) { return PyModuleDef_Init(&definition); }
