// The C functions that streaming calls, compiled once for every instruction set like those of kernels.cpp.
#include "step.h"

#include "arguments.h"

namespace unrolled {
namespace {

template <typename T> void step(const StreamRecord& stream, const T* x, T* output, bool back) {
  for (int64_t layer = 0; layer < stream.layers; ++layer) {
    const StepRecord& r = (&stream.layer[0])[layer];
    StepLayer<T> each{};
    each.gates = r.gates;
    each.rows = r.rows;
    each.inputs = r.inputs;
    each.hidden = r.hidden;
    each.activation = Activation(r.activation);
    each.weight_ih = in<T>(r.weight_ih);
    each.weight_hh = in<T>(r.weight_hh);
    each.bias_ih = in<T>(r.bias_ih);
    each.bias_hh = in<T>(r.bias_hh);
    each.norm_ih_gain = in<T>(r.norm_ih_gain);
    each.norm_hh_gain = in<T>(r.norm_hh_gain);
    each.peephole = in<T>(r.peephole);
    each.norm_cell_gain = in<T>(r.norm_cell_gain);
    each.norm_cell_bias = in<T>(r.norm_cell_bias);
    each.zoneout_h = T(r.zoneout_h);
    each.zoneout_c = T(r.zoneout_c);
    each.epsilon = T(r.epsilon);
    each.h = out<T>(r.h);
    each.c = out<T>(r.c);
    each.sums_x = out<T>(r.sums_x);
    each.sums_h = out<T>(r.sums_h);
    each.step(x, back);
    x = each.h;
    if (layer + 1 == stream.layers) std::copy(x, x + r.rows * r.hidden, output);
  }
}

}  // namespace
}  // namespace unrolled

#define UNROLLED_EXPORT __attribute__((visibility("default")))

extern "C" {

// Packs weight[outputs][inputs]; `packed` has room for the outputs rounded up to a multiple of 16. `wide`: float64.
UNROLLED_EXPORT void unrolled_step_pack(const void* weight, int64_t outputs, int64_t inputs, void* packed, int wide) {
  using namespace unrolled;
  wide ? pack_for_step(in<double>(weight), outputs, inputs, out<double>(packed))
       : pack_for_step(in<float>(weight), outputs, inputs, out<float>(packed));
}

// One step of a stack of layers, a StreamRecord: x [B, I] enters the first, the last one's h is copied to output [B,
// H]. `back`: true at every other step.
UNROLLED_EXPORT void unrolled_step(const void* stream, const void* x, void* output, int back) {
  using namespace unrolled;
  const auto& layers = *static_cast<const StreamRecord*>(stream);
  layers.wide ? step(layers, in<double>(x), out<double>(output), back)
              : step(layers, in<float>(x), out<float>(output), back);
}
}
