/* Events of one entity, looked at one by one: what `scan.py` says of those that are known at a moment, compiled.

   A history is columns of 64-bit numbers: event times, availability, sequence, identity, then values. Whatever does not
   come to plain numbers of whole windows is left to Python.
   Nothing outside the bytes given is ever touched. Only the stable ABI of Python 3.11 is used, so that one build serves
   every later one. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#define WORD 8

enum { COUNT, SUM, MEAN, LEAST, MOST, LAST, SINCE, KINDS };

#define BEFORE_VALUES 4
#define MOST_COLUMNS (PY_SSIZE_T_MAX / WORD / 2)
#define PARTIALS 64
#define FAR ((int64_t)1 << 62) /* microseconds; a window may be taken off nearer moments without a look at the sign */

typedef struct {
    int kind;
    Py_ssize_t column, members, rank; /* -1 for no values, and for no condition */
    int64_t window;
} Asks;

typedef struct {
    PyObject_HEAD
    Py_ssize_t width, columns;
    int expires;
    int64_t ttl;
    double second;
    Asks *asks;
} Scanner;

typedef struct {
    const unsigned char *event, *known, *values;
    int64_t many, until, at;
    int64_t trimmed, trimmed_known, limit;
} Events;

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

static inline int seen(const Events *events, int64_t place) { return load(events->known + place * WORD) <= events->at; }

static inline double value_at(const Events *events, Py_ssize_t column, int64_t place) {
    return number(events->values + (column * events->many + place) * WORD);
}

/* A sum as `math.fsum` rounds it (Shewchuk, 1997): partials that do not overlap, added from the greatest on. */
typedef struct {
    double part[PARTIALS];
    int many;
} Sum;

static int plus(Sum *sum, double x) {
    int kept = 0;
    for (int at = 0; at < sum->many; at++) {
        double y = sum->part[at];
        if (fabs(x) < fabs(y)) {
            double other = x;
            x = y;
            y = other;
        }
        double high = x + y, rest = y - (high - x);
        if (rest != 0.0) sum->part[kept++] = rest;
        x = high;
    }
    if (kept == PARTIALS || !isfinite(x)) return 0;
    sum->part[kept++] = x;
    sum->many = kept;
    return 1;
}

static double total_of(const Sum *sum) {
    int at = sum->many;
    if (!at) return 0.0;
    double high = sum->part[--at], low = 0.0;
    while (at > 0) {
        double x = high, y = sum->part[--at];
        high = x + y;
        low = y - (high - x);
        if (low != 0.0) break;
    }
    /* Halfway cases go to even, as one more partial would have them. */
    if (at > 0 && ((low < 0.0 && sum->part[at - 1] < 0.0) || (low > 0.0 && sum->part[at - 1] > 0.0))) {
        double y = low * 2.0, x = high + y;
        if (y == x - high) high = x;
    }
    return high;
}

/* One aggregate over a window; 0 where Python has to say it. */
static int aggregated(const Events *events, const Asks *asks, double *answer) {
    int64_t begin = events->at - asks->window;
    *answer = NAN;
    if (begin < events->limit || (begin < events->trimmed && events->trimmed_known > events->at)) return 1;
    if (begin < events->trimmed) return 0;
    int64_t start = passed(events->event, events->until, begin), count = 0;
    double plain = 0.0, size = 0.0, best = NAN;
    int whole = 1, adds = asks->kind == SUM || asks->kind == MEAN;
    for (int64_t place = start; place < events->until; place++) {
        if (!seen(events, place)) continue;
        if (asks->column < 0) {
            count++;
            continue;
        }
        double value = value_at(events, asks->column, place);
        if (isnan(value)) continue;
        if (!count || (asks->kind == LEAST ? value < best : value > best)) best = value;
        count++;
        plain += value;
        size += fabs(value);
        whole = whole && value == rint(value);
    }
    if (asks->kind == COUNT) {
        *answer = (double)count;
    } else if (count && !adds) {
        *answer = best;
    } else if (count) {
        if (!whole || size >= 9007199254740992.0) { /* whole numbers below 2**53 add up exactly in any order */
            Sum sum = {.many = 0};
            for (int64_t place = start; place < events->until; place++) {
                if (!seen(events, place)) continue;
                double value = value_at(events, asks->column, place);
                if (!isnan(value) && !plus(&sum, value)) return 0;
            }
            plain = total_of(&sum);
        }
        *answer = asks->kind == SUM ? plain : plain / (double)count;
    }
    return 1;
}

static double looked_up(const Scanner *self, const Events *events, const Asks *asks) {
    Py_ssize_t left = asks->rank;
    for (int64_t place = events->until - 1; place >= 0; place--) {
        int64_t event = load(events->event + place * WORD);
        if (self->expires && event <= events->at - self->ttl) return NAN;
        if (!seen(events, place)) continue;
        if (asks->members >= 0 && !(value_at(events, asks->members, place) > 0)) continue;
        if (left--) continue;
        if (asks->kind == SINCE) return (double)(events->at - event) / self->second;
        return asks->column < 0 ? 1.0 : value_at(events, asks->column, place);
    }
    return NAN;
}

/* read(history, first byte, events, at, (newest trimmed, its availability, limit)) -> (features, age), or None where
   Python has to say it. */
static PyObject *scanner_read(Scanner *self, PyObject *arguments) {
    Py_buffer bytes;
    Py_ssize_t first;
    PyObject *moment;
    long long many, trimmed, trimmed_known, limit;
    if (!PyArg_ParseTuple(arguments, "y*nLO(LLL)", &bytes, &first, &many, &moment, &trimmed, &trimmed_known, &limit))
        return NULL;
    PyObject *features = NULL, *answer = NULL;
    int beyond = 0;
    int64_t at = PyLong_AsLongLongAndOverflow(moment, &beyond);
    if (at == -1 && PyErr_Occurred()) goto done;
    if (beyond || at > FAR || at < -FAR) goto otherwise;
    if (many < 0 || first < 0 || first > bytes.len ||
        many > (bytes.len - first) / (WORD * (BEFORE_VALUES + self->columns))) {
        PyErr_SetString(PyExc_ValueError, "a history of another size");
        goto done;
    }
    Events events = {.event = (unsigned char *)bytes.buf + first, .many = many, .at = at,
                     .trimmed = trimmed, .trimmed_known = trimmed_known, .limit = limit};
    events.known = events.event + many * WORD;
    events.values = events.event + BEFORE_VALUES * many * WORD;
    events.until = passed(events.event, many, at);
    while (events.until && !seen(&events, events.until - 1)) events.until--;
    features = PyList_New(self->width);
    for (Py_ssize_t place = 0; features && place < self->width; place++) {
        const Asks *asks = &self->asks[place];
        double found = NAN;
        if (asks->kind >= LAST)
            found = looked_up(self, &events, asks);
        else if (!aggregated(&events, asks, &found))
            goto otherwise;
        PyObject *value = PyFloat_FromDouble(found);
        if (!value || PyList_SetItem(features, place, value)) Py_CLEAR(features);
    }
    if (!features) goto done;
    double age = NAN;
    if (events.until) age = (double)(at - load(events.event + (events.until - 1) * WORD)) / self->second;
    answer = Py_BuildValue("(Od)", features, age);
    goto done;
otherwise:
    answer = Py_NewRef(Py_None);
done:
    Py_XDECREF(features);
    PyBuffer_Release(&bytes);
    return answer;
}

static void scanner_dealloc(Scanner *self) {
    PyTypeObject *type = Py_TYPE((PyObject *)self);
    PyMem_Free(self->asks);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    release(self);
    Py_DECREF(type);
}

/* Scanner(microseconds a second, columns of values, time to live or -1, ((kind, column, members, rank, window), …)) */
static PyObject *scanner_new(PyTypeObject *type, PyObject *arguments, PyObject *named) {
    double second;
    Py_ssize_t columns;
    long long ttl;
    PyObject *asked;
    (void)named;
    if (!PyArg_ParseTuple(arguments, "dnLO!", &second, &columns, &ttl, &PyTuple_Type, &asked)) return NULL;
    if (columns < 0 || columns > MOST_COLUMNS) {
        PyErr_SetString(PyExc_ValueError, "so many columns of values can't be");
        return NULL;
    }
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    Scanner *self = (Scanner *)allocate(type, 0);
    if (!self) return NULL;
    self->second = second;
    self->columns = columns;
    self->ttl = ttl;
    self->expires = ttl >= 0;
    self->width = PyTuple_Size(asked);
    self->asks = PyMem_Calloc(self->width > 0 ? (size_t)self->width : 1, sizeof(Asks));
    if (!self->asks) {
        PyErr_NoMemory();
        goto failed;
    }
    for (Py_ssize_t at = 0; at < self->width; at++) {
        Asks *asks = &self->asks[at];
        long long window;
        if (!PyArg_ParseTuple(PyTuple_GetItem(asked, at), "innnL", &asks->kind, &asks->column, &asks->members,
                              &asks->rank, &window))
            goto failed;
        asks->window = window;
        if (window < 0 || window > FAR) {
            PyErr_SetString(PyExc_ValueError, "a window of no length that there is");
            goto failed;
        }
        if (asks->kind < 0 || asks->kind >= KINDS || asks->column >= columns || asks->members >= columns) {
            PyErr_SetString(PyExc_ValueError, "a feature of values that are not there");
            goto failed;
        }
    }
    return (PyObject *)self;
failed:
    Py_DECREF(self);
    return NULL;
}

static PyMethodDef scanner_methods[] = {
    {"read", (PyCFunction)scanner_read, METH_VARARGS, "Features and age of one entity at a moment, from its events."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot scanner_slots[] = {
    {Py_tp_doc, "Looks at the events of an entity one by one."},
    {Py_tp_new, scanner_new},
    {Py_tp_dealloc, scanner_dealloc},
    {Py_tp_methods, scanner_methods},
    {0, NULL},
};

static PyType_Spec scanner_spec = {
    .name = "drivetrain.features.online._events.Scanner",
    .basicsize = sizeof(Scanner),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = scanner_slots,
};

static int filled(PyObject *module) {
    PyObject *type = PyType_FromModuleAndSpec(module, &scanner_spec, NULL);
    int failed = type == NULL || PyModule_AddObjectRef(module, "Scanner", type);
    Py_XDECREF(type);
    return failed ? -1 : 0;
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, filled}, {0, NULL}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_events", "Events of online rows, looked at one by one.", 0, NULL, slots, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__events(void) { return PyModuleDef_Init(&definition); }
