// What Python hands over: one record of 8-byte fields a call, filled as an array of integers. Addresses are of
// contiguous row-major arrays of the kernel's element type; 0 stands for an option that is absent. The order of the
// fields is the contract with src/unrolled/ops/native/; what each array holds stands with the cells.
#pragma once
#include <cstdint>

namespace unrolled {

// Of the layout below: one more with every change, here and in library.py, so that sources are not run with a library
// that was built from others.
constexpr int kLayout = 10;

struct Axes {  // T steps, B rows, H units
  int64_t steps, rows, hidden;
  const int64_t* lengths;  // [B]
  int64_t reverse;
  int64_t threads;
  const int64_t *offsets, *ranks, *threads_of;  // [T, layout_threads], [B], [B], or null
  int64_t layout_threads;
  int64_t terms;  // bfloat16 that a float32 may be split into where the processor multiplies those faster
};

struct Strided {  // [T, B, H], strides in elements, 0 where broadcast
  const void* data;
  int64_t step, row, unit;
};

// What enters from outside, where the products over all steps are the library's to make.
struct Inputs {
  int64_t count, width;            // N, I
  const void *values, *weight_ih;  // [T, B, I], [G*H, I]; or null: the products are made elsewhere
  const int64_t* real;             // [N]: the steps t * B + b without padding, or null for all
  // Backward, each optional: [T, B, I], the padding left alone; [G*H, I]; [G*H, H].
  void *dvalues, *dweight_ih, *dweight_hh;
};

struct ForwardRecord {  // of every cell
  Axes axes;
  Inputs inputs;
  void* gates_x;  // with `inputs` it may be null, where nobody reads it afterwards
  const void *h_0, *weight_hh, *bias_ih, *bias_hh, *norm_ih_gain, *norm_hh_gain, *hidden_mask;
  Strided zoneout_h, probe_h;
  void *h, *h_n, *products;
};

struct BackwardRecord {  // of every cell
  Axes axes;
  Inputs inputs;
  Strided grad_h;
  const void *h, *h_0, *weight_hh, *norm_ih_gain, *norm_hh_gain, *hidden_mask, *gates_x;
  void* products;
  Strided zoneout_h;
  const void* grad_h_n;
  void *dgates, *du;  // null with `inputs`
  void *dh, *dh_squares, *grad_h_0, *dbias_ih, *dbias_hh, *dgain_ih, *dgain_hh;
};

struct RnnForwardRecord {
  ForwardRecord common;
  int64_t activation;
  void* values;
};
struct RnnBackwardRecord {
  BackwardRecord common;
  int64_t activation;
  const void *values, *grad_values;
};

struct GruForwardRecord {
  ForwardRecord common;
  void *gates, *q;
};
struct GruBackwardRecord {
  BackwardRecord common;
  const void *gates, *q, *grad_gates, *grad_q;
  // Nothing is normalised: dgates and du are columns of one array [N, 4H] of n r z q, without the last and the first.
  int64_t joined;
};

struct LstmForwardRecord {
  ForwardRecord common;
  const void *c_0, *peephole, *norm_cell_gain, *norm_cell_bias;
  Strided zoneout_c, probe_c;
  void *c, *c_n, *gates;
};
struct LstmBackwardRecord {
  BackwardRecord common;
  Strided grad_c;
  const void *c, *gates, *grad_gates;
  const void *c_0, *peephole, *norm_cell_gain, *norm_cell_bias;
  Strided zoneout_c, probe_c;
  const void* grad_c_n;
  void *dc, *grad_c_0, *dpeephole, *dcell_gain, *dcell_bias;
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
  int64_t wide;  // float64 instead of float32
  StepRecord layer[1];  // as many as there are
};

struct Scalars {
  double epsilon, clip_step;
};

}  // namespace unrolled
