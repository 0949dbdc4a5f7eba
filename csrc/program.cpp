// What the library offers for programs.
#include "arguments.h"
#include "program.h"

namespace unrolled {
namespace {

template <typename T> void run_program(const ProgramRecord& r, const Instructions& code) {
  ProgramScan<T>(r, code).run();
}

}  // namespace
}  // namespace unrolled

extern "C" {
// 0; 1 where there was no memory; 2 where the code is none, and nothing was done.
__attribute__((visibility("default"))) int unrolled_program(const unrolled::ProgramRecord* record) {
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
}
