// What the library offers for programs.
#include "arguments.h"
#include "program.h"

namespace unrolled {
namespace {

template <typename T> void run_program(const ProgramRecord& r, const Instructions& code) {
  ProgramScan<T>(r, code).run();
}

// A program that takes one step after the other; the record and what it names must stay where they are.
class Stepper {
 public:
  virtual ~Stepper() = default;
  virtual void step(const void* values, void* output) = 0;
};
template <typename T> class StepperOf : public Stepper {
 public:
  StepperOf(const ProgramRecord& record, Instructions code)
      : record_(record), code_(std::move(code)), scan_(record_, code_) {
    scan_.prepare();
  }
  void step(const void* values, void* output) override { scan_.step(in<T>(values), out<T>(output)); }

 private:
  ProgramRecord record_;
  Instructions code_;
  ProgramScan<T> scan_;
};

}  // namespace
}  // namespace unrolled

#define UNROLLED_EXPORT __attribute__((visibility("default")))
extern "C" {
// 0; 1 where there was no memory; 2 where the code is none, and nothing was done.
UNROLLED_EXPORT int unrolled_program(const unrolled::ProgramRecord* record) {
  using namespace unrolled;
  try {
    Instructions code;
    if (!code.read(*record)) return 2;
    record->wide ? run_program<double>(*record, code) : run_program<float>(*record, code);
    return 0;
  } catch (const std::bad_alloc&) {
    return 1;
  }
}

// Null where there was no memory, or the code is none.
UNROLLED_EXPORT void* unrolled_stepper(const unrolled::ProgramRecord* record) {
  using namespace unrolled;
  try {
    Instructions code;
    if (!code.read(*record)) return nullptr;
    if (record->wide) return static_cast<Stepper*>(new StepperOf<double>(*record, std::move(code)));
    return static_cast<Stepper*>(new StepperOf<float>(*record, std::move(code)));
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}
UNROLLED_EXPORT void unrolled_stepper_step(void* stepper, const void* values, void* output) {
  static_cast<unrolled::Stepper*>(stepper)->step(values, output);
}
UNROLLED_EXPORT void unrolled_stepper_end(void* stepper) { delete static_cast<unrolled::Stepper*>(stepper); }
}
