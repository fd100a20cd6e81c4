/* Heads of online rows, read without a Python call for each number: what `plain.py` and `batch.py` say, compiled.

   A head that is not as most are (events pending, pages, a moment before all was known, an expired value, damage) is
   left to Python; nothing outside a row's own bytes is ever touched, whatever they say. The layout of a row is told in
   `layout.py`. Only the stable ABI of Python 3.11 is used, so that one build serves every later one. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#define WORD 8
#define NEVER INT64_MIN

typedef struct {
    int64_t window, hop;
} Span;

/* Where a feature is found: `part` 0 is the head, others are the records of the spans; `word` counts from there. */
typedef struct {
    Py_ssize_t part, word;
    int since;
} Place;

typedef struct {
    Py_ssize_t first, width, spans, cells, times, oldest;
    int expires;
    int64_t ttl;
    Span *span;
    Place *place;
} View;

typedef struct {
    PyObject_HEAD
    Py_ssize_t views, width, parts;
    uint16_t code, inline_code;
    double second;
    View *view;
    double *blank, *features; /* of an entity without rows, and of the one being read: features, then ages */
    int64_t *starts;
} Reader;

static inline int64_t load(const unsigned char *bytes) {
    int64_t word;
    memcpy(&word, bytes, WORD);
    return word;
}

static inline double number(const unsigned char *bytes) {
    double value;
    memcpy(&value, bytes, WORD);
    return value;
}

static inline uint32_t half(const unsigned char *bytes) {
    uint32_t value;
    memcpy(&value, bytes, 4);
    return value;
}

/* How many of the sorted times are at most `begin`. */
static inline int64_t passed(const unsigned char *times, int64_t many, int64_t begin) {
    int64_t low = 0;
    while (many > 0) {
        int64_t step = many / 2;
        if (load(times + (low + step) * WORD) <= begin) {
            low += step + 1;
            many -= step + 1;
        } else {
            many = step;
        }
    }
    return low;
}

static inline int64_t begin_of(const Span *span, int64_t at) {
    int64_t begin = at - span->window;
    if (span->hop) {
        int64_t rest = begin % span->hop;
        begin -= rest < 0 ? rest + span->hop : rest;
    }
    return begin;
}

/* A row on its way: rows lie all over a map that is larger than any cache, so each step is made for a group of rows,
   and asks for the memory that the next one needs. */
#define GROUP 16
#define LINE 64
#define TIMES_AHEAD 512

typedef enum { BROKEN = -1, OTHERWISE = 0, WHOLE = 1, ABSENT = 2 } State;

typedef struct {
    const View *view;
    Py_buffer bytes;
    int64_t at;
    double *features, *age;
    int64_t *starts; /* where the head and the record of each span begin, in words */
    State state;
} Asked;

static void begin(Asked *asked, PyObject *rows, Py_ssize_t place) {
    PyObject *row = PyTuple_GetItem(rows, place);
    if (row == Py_None) {
        asked->state = ABSENT;
        return;
    }
    asked->state = PyObject_GetBuffer(row, &asked->bytes, PyBUF_SIMPLE) ? BROKEN : WHOLE;
    if (asked->state == BROKEN || asked->view->times < 0) return;
    const char *bytes = asked->bytes.buf;
    Py_ssize_t end = asked->view->times * WORD + TIMES_AHEAD;
    for (Py_ssize_t line = 0; line < end && line < asked->bytes.len; line += LINE) __builtin_prefetch(bytes + line);
}

/* Whether a head is as most are, and where the records of its windows begin. */
static State found(const Reader *reader, const Asked *asked) {
    const View *view = asked->view;
    const unsigned char *row = asked->bytes.buf;
    int64_t size = asked->bytes.len, at = asked->at;
    if (view->times < 0 || size < view->times * WORD) return OTHERWISE;
    uint16_t code;
    memcpy(&code, row, 2);
    if (code != reader->code && code != reader->inline_code) return OTHERWISE;
    int64_t many = half(row + 4);
    if (half(row + 12) != size || load(row + 24) == NEVER || at < load(row + 32)) return OTHERWISE;
    if (view->expires && load(row + view->oldest * WORD) <= at - view->ttl) return OTHERWISE;
    asked->starts[0] = 0;
    if (!view->spans) return WHOLE;
    int64_t records = view->times + many;
    if ((records + (many + 1) * view->cells) * WORD > size) return OTHERWISE;
    for (Py_ssize_t span = 0; span < view->spans; span++) {
        int64_t place = passed(row + view->times * WORD, many, begin_of(&view->span[span], at));
        asked->starts[span + 1] = records + place * view->cells;
        __builtin_prefetch(row + asked->starts[span + 1] * WORD);
        __builtin_prefetch(row + (asked->starts[span + 1] + view->cells) * WORD - 1);
    }
    return WHOLE;
}

static void told(const Reader *reader, const Asked *asked) {
    const unsigned char *row = asked->bytes.buf;
    for (Py_ssize_t feature = 0; feature < asked->view->width; feature++) {
        const Place *place = &asked->view->place[feature];
        double value = number(row + (asked->starts[place->part] + place->word) * WORD);
        asked->features[feature] = place->since ? ((double)asked->at - value) / reader->second : value;
    }
    *asked->age = (double)(asked->at - load(row + 24)) / reader->second;
}

/* A group of rows; 0 where one of them is none at all. */
static int tell(const Reader *reader, Asked *asked, Py_ssize_t many, PyObject *rows, Py_ssize_t first) {
    int fine = 1;
    for (Py_ssize_t at = 0; at < many; at++) begin(&asked[at], rows, first + at);
    for (Py_ssize_t at = 0; at < many; at++)
        if (asked[at].state == WHOLE) {
            asked[at].state = found(reader, &asked[at]);
            if (asked[at].state == OTHERWISE) PyBuffer_Release(&asked[at].bytes);
        }
    for (Py_ssize_t at = 0; at < many; at++) {
        if (asked[at].state == WHOLE) {
            told(reader, &asked[at]);
            PyBuffer_Release(&asked[at].bytes);
        }
        fine = fine && asked[at].state != BROKEN;
    }
    return fine;
}

static int append(PyObject *list, PyObject *item) {
    int failed = item == NULL || PyList_Append(list, item);
    Py_XDECREF(item);
    return failed;
}

/* The rows as a tuple of a whole number of requests. */
static PyObject *tuple_of(const Reader *self, PyObject *given, Py_ssize_t *requests) {
    PyObject *rows = PySequence_Tuple(given);
    if (!rows) return NULL;
    *requests = PyTuple_Size(rows) / self->views;
    if (*requests * self->views == PyTuple_Size(rows)) return rows;
    PyErr_SetString(PyExc_ValueError, "not a row for each view of each request");
    Py_DECREF(rows);
    return NULL;
}

static PyObject *floats(const double *numbers, Py_ssize_t many) {
    PyObject *list = PyList_New(many);
    for (Py_ssize_t at = 0; list && at < many; at++) {
        PyObject *value = PyFloat_FromDouble(numbers[at]);
        if (!value || PyList_SetItem(list, at, value)) Py_CLEAR(list);
    }
    return list;
}

/* read(rows, at) -> (features, ages, left): a row a view, or None for an entity without one. */
static PyObject *reader_read(Reader *self, PyObject *arguments) {
    PyObject *given, *left = NULL, *answer = NULL;
    Py_ssize_t requests;
    long long at;
    if (!PyArg_ParseTuple(arguments, "OL", &given, &at)) return NULL;
    PyObject *rows = tuple_of(self, given, &requests);
    if (!rows) return NULL;
    double *features = self->features, *ages = features + self->width;
    Asked asked[GROUP];
    if (requests != 1) {
        PyErr_SetString(PyExc_ValueError, "not a row for each view");
        goto done;
    }
    left = PyList_New(0);
    if (!left) goto done;
    memcpy(features, self->blank, (size_t)(self->width + self->views) * sizeof(double));
    for (Py_ssize_t first = 0; first < self->views; first += GROUP) {
        Py_ssize_t many = self->views - first < GROUP ? self->views - first : GROUP;
        for (Py_ssize_t place = 0; place < many; place++) {
            const View *view = &self->view[first + place];
            asked[place] = (Asked){.view = view, .at = at, .features = features + view->first,
                                   .age = ages + first + place, .starts = self->starts + place * self->parts};
        }
        if (!tell(self, asked, many, rows, first)) goto done;
        for (Py_ssize_t place = 0; place < many; place++)
            if (asked[place].state == OTHERWISE && append(left, PyLong_FromSsize_t(first + place))) goto done;
    }
    answer = Py_BuildValue("(NNO)", floats(features, self->width), floats(ages, self->views), left);
done:
    Py_XDECREF(left);
    Py_DECREF(rows);
    return answer;
}

static int whole_buffer(PyObject *given, Py_buffer *buffer, Py_ssize_t words, int flags) {
    if (PyObject_GetBuffer(given, buffer, flags)) return -1;
    if (buffer->len == words * WORD) return 0;
    PyErr_SetString(PyExc_ValueError, "an array of another size");
    PyBuffer_Release(buffer);
    return -1;
}

static int filled_rows(Reader *self, PyObject *rows, Py_ssize_t requests, const int64_t *ats, double *features,
                       double *ages, PyObject *left) {
    Asked asked[GROUP];
    for (Py_ssize_t at_view = 0; at_view < self->views; at_view++) {
        const View *view = &self->view[at_view];
        for (Py_ssize_t first = 0; first < requests; first += GROUP) {
            Py_ssize_t many = requests - first < GROUP ? requests - first : GROUP;
            for (Py_ssize_t place = 0; place < many; place++) {
                Py_ssize_t request = first + place;
                asked[place] = (Asked){.view = view, .at = ats[request],
                                       .features = features + request * self->width + view->first,
                                       .age = ages + request * self->views + at_view,
                                       .starts = self->starts + place * self->parts};
            }
            if (!tell(self, asked, many, rows, at_view * requests + first)) return 0;
            for (Py_ssize_t place = 0; place < many; place++)
                if (asked[place].state != WHOLE && append(left, Py_BuildValue("(nn)", at_view, first + place)))
                    return 0;
        }
    }
    return 1;
}

/* fill(rows, ats, features, ages) -> left: rows view after view, of each view one a request; arrays of requests, of
   requests × features and of requests × views, written in place; view and request of those answered otherwise. */
static PyObject *reader_fill(Reader *self, PyObject *arguments) {
    PyObject *given, *arrays[3], *left = NULL;
    Py_buffer buffers[3];
    Py_ssize_t requests, open = 0;
    if (!PyArg_ParseTuple(arguments, "OOOO", &given, &arrays[0], &arrays[1], &arrays[2])) return NULL;
    PyObject *rows = tuple_of(self, given, &requests);
    if (!rows) return NULL;
    Py_ssize_t sizes[3] = {requests, requests * self->width, requests * self->views};
    for (; open < 3; open++)
        if (whole_buffer(arrays[open], &buffers[open], sizes[open], PyBUF_C_CONTIGUOUS | (open ? PyBUF_WRITABLE : 0)))
            break;
    if (open == 3) left = PyList_New(0);
    if (left && !filled_rows(self, rows, requests, buffers[0].buf, buffers[1].buf, buffers[2].buf, left))
        Py_CLEAR(left);
    while (open) PyBuffer_Release(&buffers[--open]);
    Py_DECREF(rows);
    return left;
}

static void *room(Py_ssize_t many, size_t size) {
    void *made = PyMem_Calloc(many > 0 ? (size_t)many : 1, size);
    if (!made) PyErr_NoMemory();
    return made;
}

/* One view: (cells, times, oldest, ttl, ((window, hop), …), ((part, word, since), …)); `times` is the word where event
   times begin, -1 where the view is always answered otherwise, `ttl` -1 where nothing expires. */
static int view_of(View *view, PyObject *given) {
    PyObject *spans, *places;
    long long ttl;
    if (!PyArg_ParseTuple(given, "nnnLO!O!", &view->cells, &view->times, &view->oldest, &ttl, &PyTuple_Type, &spans,
                          &PyTuple_Type, &places))
        return -1;
    view->width = PyTuple_Size(places);
    view->ttl = ttl;
    view->expires = ttl >= 0;
    view->spans = PyTuple_Size(spans);
    view->span = room(view->spans, sizeof(Span));
    view->place = room(view->width, sizeof(Place));
    if (!view->span || !view->place) return -1;
    for (Py_ssize_t at = 0; at < view->spans; at++) {
        long long window, hop;
        if (!PyArg_ParseTuple(PyTuple_GetItem(spans, at), "LL", &window, &hop)) return -1;
        view->span[at].window = window;
        view->span[at].hop = hop;
    }
    for (Py_ssize_t at = 0; at < view->width; at++) {
        Place *place = &view->place[at];
        if (!PyArg_ParseTuple(PyTuple_GetItem(places, at), "nnp", &place->part, &place->word, &place->since)) return -1;
        Py_ssize_t most = place->part ? view->cells : view->times;
        if (place->part < 0 || place->part > view->spans || place->word < 0 ||
            (view->times >= 0 && place->word >= most)) {
            PyErr_SetString(PyExc_ValueError, "a feature lies outside the row");
            return -1;
        }
    }
    return 0;
}

static void reader_dealloc(Reader *self) {
    PyTypeObject *type = Py_TYPE((PyObject *)self);
    for (Py_ssize_t at = 0; self->view && at < self->views; at++) {
        PyMem_Free(self->view[at].span);
        PyMem_Free(self->view[at].place);
    }
    PyMem_Free(self->view);
    PyMem_Free(self->blank);
    PyMem_Free(self->features);
    PyMem_Free(self->starts);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    release(self);
    Py_DECREF(type);
}

/* Reader(layout, inline layout, microseconds a second, views, features of an entity without rows) */
static PyObject *reader_new(PyTypeObject *type, PyObject *arguments, PyObject *named) {
    unsigned short code, inline_code;
    double second;
    PyObject *views, *unknown;
    (void)named;
    if (!PyArg_ParseTuple(arguments, "HHdO!O!", &code, &inline_code, &second, &PyTuple_Type, &views, &PyTuple_Type,
                          &unknown))
        return NULL;
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    Reader *self = (Reader *)allocate(type, 0);
    if (!self) return NULL;
    self->code = code;
    self->inline_code = inline_code;
    self->second = second;
    Py_ssize_t many = PyTuple_Size(views);
    self->view = room(many, sizeof(View));
    if (!self->view) goto failed;
    self->views = many;
    for (Py_ssize_t at = 0; at < many; at++) {
        View *view = &self->view[at];
        if (view_of(view, PyTuple_GetItem(views, at))) goto failed;
        view->first = self->width;
        self->width += view->width;
        if (view->spans >= self->parts) self->parts = view->spans + 1;
    }
    if (!many || PyTuple_Size(unknown) != self->width) {
        PyErr_SetString(PyExc_ValueError, "no views, or not a number for each of their features");
        goto failed;
    }
    self->blank = room(self->width + many, sizeof(double));
    self->features = room(self->width + many, sizeof(double));
    self->starts = room(self->parts * GROUP, sizeof(int64_t));
    if (!self->blank || !self->features || !self->starts) goto failed;
    for (Py_ssize_t at = 0; at < self->width + many; at++)
        self->blank[at] = at < self->width ? PyFloat_AsDouble(PyTuple_GetItem(unknown, at)) : NAN;
    if (!PyErr_Occurred()) return (PyObject *)self;
failed:
    Py_DECREF(self);
    return NULL;
}

static PyMethodDef reader_methods[] = {
    {"read", (PyCFunction)reader_read, METH_VARARGS, "Features of one request, its ages, and the views left over."},
    {"fill", (PyCFunction)reader_fill, METH_VARARGS, "Features of many requests, into arrays; what is left over."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot reader_slots[] = {
    {Py_tp_doc, "Reads heads of several views."},
    {Py_tp_new, reader_new},
    {Py_tp_dealloc, reader_dealloc},
    {Py_tp_methods, reader_methods},
    {0, NULL},
};

static PyType_Spec reader_spec = {
    .name = "drivetrain.features.online._kernel.Reader",
    .basicsize = sizeof(Reader),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = reader_slots,
};

static int filled(PyObject *module) {
    PyObject *type = PyType_FromModuleAndSpec(module, &reader_spec, NULL);
    int failed = type == NULL || PyModule_AddObjectRef(module, "Reader", type);
    Py_XDECREF(type);
    return failed ? -1 : 0;
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, filled}, {0, NULL}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_kernel", "Heads of online rows, read in bulk.", 0, NULL, slots, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__kernel(void) { return PyModuleDef_Init(&definition); }
