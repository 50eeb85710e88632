/* An external TFLite delegate for tests.  Built with -DCREATE_FAILS, -DCREATE_CRASHES,
 * -DCREATE_HANGS, or none of them.
 *
 * The structures are those of tensorflow/lite/core/c/common.h, as far as they are used here; the two
 * exported functions are those of delegates/external/external_delegate_interface.h.
 * Options: "take" = "first" takes the first operation, which then does nothing;
 * "hang_after" = N hangs in the run after the N-th, "fail_after" = N fails there;
 * "prepare" = "fail" refuses the network.
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct Context Context;
typedef struct Delegate Delegate;
typedef struct { int size; int data[]; } IntArray;
typedef struct { IntArray *inputs, *outputs; } Node;

typedef struct {
    int type;
    void *data;
    IntArray *dims;
    char rest[88];
} Tensor;

typedef struct {
    void *(*init)(Context *, const char *, size_t);
    void (*free)(Context *, void *);
    int (*prepare)(Context *, Node *);
    int (*invoke)(Context *, Node *);
    const char *(*profiling_string)(const Context *, const void *);
    int32_t builtin_code;
    const char *custom_name;
    int version;
    void *later_fields[8]; /* newer runtimes read more: zeros */
} Registration;

struct Context {
    size_t tensors_size;
    int (*get_execution_plan)(Context *, IntArray **);
    Tensor *tensors;
    void *impl;
    int (*resize_tensor)(Context *, Tensor *, IntArray *);
    void *unused[3]; /* ReportError, AddTensors, GetNodeAndRegistration */
    int (*replace_nodes)(Context *, Registration, const IntArray *, Delegate *);
};

struct Delegate {
    void *data;
    int (*prepare)(Context *, Delegate *);
    void *buffer_functions[3];
    int64_t flags;
    void *opaque_builder;
};

static int runs, hang_after = -1, fail_after = -1, take, refuse;

static void hang(void) {
    for (;;) pause();
}

/* The first operation of the default model requantises: its output has the input's shape. */
static int kernel_prepare(Context *context, Node *node) {
    IntArray *dims = context->tensors[node->inputs->data[0]].dims;
    size_t size = sizeof(int) * (dims->size + 1);
    IntArray *same = malloc(size); /* the runtime frees it */
    memcpy(same, dims, size);
    return context->resize_tensor(context, &context->tensors[node->outputs->data[0]], same);
}

static int kernel_invoke(Context *context, Node *node) {
    (void)context, (void)node;
    runs++;
    if (hang_after >= 0 && runs > hang_after) hang();
    return fail_after >= 0 && runs > fail_after;
}

static int delegate_prepare(Context *context, Delegate *delegate) {
    IntArray *plan;
    if (refuse) return 1;
    if (!take) return 0;
    if (context->get_execution_plan(context, &plan)) return 1;
    struct { int size, first; } nodes = {1, plan->data[0]};
    Registration kernel;
    memset(&kernel, 0, sizeof kernel);
    kernel.prepare = kernel_prepare;
    kernel.invoke = kernel_invoke;
    kernel.custom_name = "TestKernel";
    kernel.version = 1;
    return context->replace_nodes(context, kernel, (IntArray *)&nodes, delegate);
}

Delegate *tflite_plugin_create_delegate(char **keys, char **values, size_t count,
                                        void (*report)(const char *)) {
#if defined(CREATE_FAILS)
    report("no device was found");
    return NULL;
#elif defined(CREATE_CRASHES)
    fprintf(stderr, "the wrong runtime\n");
    raise(SIGSEGV);
#elif defined(CREATE_HANGS)
    hang();
#endif
    runs = take = refuse = 0; /* a library stays loaded from one test to the next */
    hang_after = fail_after = -1;
    for (size_t i = 0; i < count; i++) {
        if (!strcmp(keys[i], "take")) take = !strcmp(values[i], "first");
        if (!strcmp(keys[i], "hang_after")) hang_after = atoi(values[i]);
        if (!strcmp(keys[i], "fail_after")) fail_after = atoi(values[i]);
        if (!strcmp(keys[i], "prepare")) refuse = !strcmp(values[i], "fail");
    }
    (void)report;
    Delegate *delegate = calloc(1, sizeof *delegate);
    delegate->prepare = delegate_prepare;
    delegate->flags = 1; /* kTfLiteDelegateFlagsAllowDynamicTensors: the input may be resized */
    return delegate;
}

void tflite_plugin_destroy_delegate(Delegate *delegate) {
    free(delegate);
}
