#include <algorithm>
#include <cassert>
#include <string>

#include <dnnl.h>
#include <fmt/format.h>
#include <omp.h>

#include "ops/gemm.h"
#include "ops/gemm_packed.h"

namespace surprisal {
namespace {

// Where no parallel region runs, oneDNN would start one of its own, as wide as OpenMP's setting for the
// calling thread.
class OnThisThread {
 public:
  OnThisThread() : before_(omp_get_max_threads()) { omp_set_num_threads(1); }
  ~OnThisThread() { omp_set_num_threads(before_); }
  OnThisThread(const OnThisThread&) = delete;
  OnThisThread& operator=(const OnThisThread&) = delete;

 private:
  int before_;
};

// dnnl_sgemm picks its kernel by CPU feature, and takes any stride and either transposition without a
// primitive to make before.
void sgemm(const Matrix& a, const Matrix& b, const Matrix& c, Write write, float alpha) {
  OnThisThread alone;
  [[maybe_unused]] dnnl_status_t status =
      dnnl_sgemm(a.transposed ? 'T' : 'N', b.transposed ? 'T' : 'N', c.rows, c.columns, a.columns, alpha,
                 a.data, a.stride, b.data, b.stride, write == Write::add ? 1.0f : 0.0f, c.data, c.stride);
  assert(status == dnnl_success);
}

void clear(const Matrix& c) {
  for (std::int64_t row = 0; row < c.rows; ++row) std::fill_n(c.data + row * c.stride, c.columns, 0.0f);
}

}  // namespace

void gemm_block(const Matrix& a, const Matrix& b, const Matrix& c, Write write, float alpha) {
  if (c.rows == 0 || c.columns == 0) return;
  if (a.columns == 0) {
    if (write == Write::over) clear(c);
  } else {
    sgemm(a, b, c, write, alpha);
  }
}

const char* gemm_implementation() {
  static const std::string name = [] {
    const dnnl_version_t* version = dnnl_version();
    return fmt::format("{}oneDNN {}.{}.{}", gemm_packed_name(), version->major, version->minor,
                       version->patch);
  }();
  return name.c_str();
}

}  // namespace surprisal
