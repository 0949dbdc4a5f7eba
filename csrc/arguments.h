// What Python hands over: records of 8-byte fields, of which nearly all are integers. Addresses are of contiguous
// row-major arrays of the kernel's element type; 0 stands for an option that is absent. The order of the fields is the
// contract with src/unrolled/ops/native/; what each array holds stands with the cells.
#pragma once
#include <cstdint>

namespace unrolled {

// Of the layout below: one more with every change, here and in library.py, so that sources are not run with a library
// that was built from others.
constexpr int kLayout = 19;

// An address as what it is of.
template <typename T> const T* in(const void* p) { return static_cast<const T*>(p); }
template <typename T> T* out(void* p) { return static_cast<T*>(p); }

struct Head {  // of every record of a pass; T steps, B rows, H units
  int64_t steps, rows, hidden;
  int64_t h_row;  // elements from one row of h to the next: two directions of a layer write side by side
  int64_t reverse;
  int64_t threads;
  int64_t terms;  // bfloat16 that a float32 may be split into where the processor multiplies those faster
  int64_t width;  // of the inputs
  int64_t activation;
  int64_t wide;  // float64 instead of float32
  double epsilon, clip_step;
};

struct Strided {  // [T, B, H], strides in elements, 0 where broadcast
  const void* data;
  int64_t step, row, unit;
};

// What enters from outside: [T, B, width], [G*H, width]; null where the products over all steps are made elsewhere.
struct Inputs {
  const void *values, *weight_ih;
};

struct Ragged {            // rows of several lengths, and where their steps lie without padding: see ragged.h
  const int64_t* lengths;  // [B], or null: every row has all steps
  const int64_t *offsets, *ranks, *threads_of;  // [T, layout_threads], [B], [B], or null
  int64_t layout_threads;
  int64_t count;  // of the steps without padding
};

struct Options {  // of every cell
  Ragged ragged;
  const void *norm_ih_gain, *norm_hh_gain, *norm_cell_gain, *norm_cell_bias, *peephole, *hidden_mask;
  Strided zoneout_h, zoneout_c;
};

// What a plain pass has comes first. `gates` and `by_unit` are a cell's own: an LSTM's cells and the recurrent share of
// a GRU's candidate by unit, a simple network's values as its gates.
struct ForwardRecord {
  Head head;
  Inputs inputs;
  void* gates_x;  // with `inputs` it may be null, where nobody reads it afterwards
  const void *h_0, *c_0, *weight_hh, *bias_ih, *bias_hh;
  void *h, *h_n, *c_n, *gates, *by_unit;
  Options options;
  void* products;
};

struct BackwardRecord {
  Head head;
  int64_t adds;  // dvalues holds the other direction's, to be added to
  // Of a GRU without norms: dgates and du are columns of one array [N, 4H] of n r z q, without the last and the first.
  int64_t joined;
  int64_t grad_h_step, grad_h_row, grad_h_unit;  // strides, as of `Strided`
  Inputs inputs;
  void *dvalues, *dweight_ih, *dweight_hh;  // with `inputs`, each optional: [T, B, I], the padding left alone; ...
  const void* grad_h;
  const void *h, *h_0, *c_0, *weight_hh, *gates, *by_unit;
  const void *grad_h_n, *grad_c_n;
  void *dgates, *du;  // null with `inputs`
  void *grad_h_0, *grad_c_0, *dbias_ih, *dbias_hh;
  void* dh_norms;  // [T, B], optional: of every dL/dh_t, zero past a row's end
  Options options;
  const void *gates_x, *products;
  void *dgain_ih, *dgain_hh, *dcell_gain, *dcell_bias, *dpeephole;
};

struct MatmulSide {  // `Side` of split_panel.h
  const void* data;
  int64_t count, stride, along_sum, first, last;
};
struct MatmulRight {
  MatmulSide b;
  void* c;  // [rows, columns]
};
struct MatmulRecord {
  int64_t threads, terms;
  MatmulSide a;
  int64_t rights;
  MatmulRight right[1];  // as many as there are
};

struct StepRecord {  // one layer of a step without a gradient; see step.h
  int64_t gates, rows, inputs, hidden, activation;
  const void *weight_ih, *weight_hh, *bias_ih, *bias_hh;
  const void *norm_ih_gain, *norm_hh_gain, *peephole, *norm_cell_gain, *norm_cell_bias;
  void *h, *c, *sums_x, *sums_h;
  double zoneout_h, zoneout_c, epsilon;
};

struct StreamRecord {  // a stack of such layers
  int64_t layers;
  int64_t wide;         // float64 instead of float32
  StepRecord layer[1];  // as many as there are
};

// A program: see program.h. What the code calls a place of the memory:
struct ProgramMemory {
  enum Kind : int64_t { plain, before, last, number, share };
  const void* data;         // [T, B, H], or with `turns` [2, B, H], of this step and the one before in turns
  const void* initial;      // before: [B, H], the state before a row's first step
  int64_t step, row, unit;  // strides in elements; unit: 1, or 0 where broadcast; number: one element a row and step
  int64_t kind, turns;      // share: the input's, of the gate that `row` counts, where the program makes it itself
};
struct ProgramState {
  int64_t memory;       // forward: the state after a step; back: the gradient before it, "passed"
  const void* initial;  // forward: [B, H]
  void* end;            // forward: the state at each row's end; back: the initial state's gradient, to be added to
};
struct ProgramRecord {
  int64_t steps, rows, hidden, reverse, backward, threads, wide;
  double epsilon, bound;
  const int64_t* lengths;  // [B], or null
  const uint8_t* resets;   // [T, B], or null
  const void* weight;      // [matrices * H, H]
  int64_t matrices;
  // Back: the matrices of each common operand, one group after the other; forward `groups` is the number of matrices.
  int64_t groups;
  const int64_t *group_sizes, *group_gates;
  const int64_t* code;
  int64_t code_size;
  int64_t scratch, units, constants, own, memories, sums, states;  // how many there are of each
  const void* const* unit;                                         // [H] each
  const double* constant;
  const ProgramMemory* memory;
  void* const* sum;  // [H] each, or null
  const ProgramState* state;
  // Of a program that takes steps: what makes the input's share. [inputs * H, width], [inputs * H] or null.
  int64_t inputs, width;
  const void *weight_ih, *bias_ih;
};

}  // namespace unrolled
