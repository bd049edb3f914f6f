#include <algorithm>
#include <array>
#include <cassert>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <dnnl.h>
#include <fmt/format.h>
#include <omp.h>
#include <sys/mman.h>

#include "surprisal/error.h"

#include "ops/gemm.h"
#include "ops/transpose.h"

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
  const dnnl_status_t status =
      dnnl_sgemm(a.transposed ? 'T' : 'N', b.transposed ? 'T' : 'N', c.rows, c.columns, a.columns, alpha,
                 a.data, a.stride, b.data, b.stride, write.kept, c.data, c.stride);
  assert(status == dnnl_success || status == dnnl_out_of_memory);
  if (status != dnnl_success)  // C is not the product
    throw Error(ErrorKind::memory, {.what = "no memory for the panels of a matrix product"});
}

constexpr std::int64_t kPieceRows = 192, kPieceColumns = 1024;
// Rows that a large power of two apart would fall into the same sets of the cache.
constexpr std::int64_t kPieceStride = kPieceColumns + 16;

// dnnl_sgemm reads a transposed A in the order in which it is used, a cache line for every few elements. A
// copy the right way round costs far less where many columns share it.
void sgemm_of_copies(const Matrix& a, const Matrix& b, const Matrix& c, Write write, float alpha) {
  thread_local std::vector<float> scratch(kPieceRows * kPieceStride);
  for (std::int64_t row = 0; row < a.rows; row += kPieceRows) {
    const std::int64_t row_end = std::min(row + kPieceRows, a.rows);
    for (std::int64_t k = 0; k < a.columns; k += kPieceColumns) {
      const std::int64_t k_end = std::min(k + kPieceColumns, a.columns);
      const Matrix from = a.row_range(row, row_end).column_range(k, k_end);
      const Matrix piece{scratch.data(), from.rows, from.columns, kPieceStride, false};
      transpose(from.columns, from.rows, from.data, from.stride, piece.data, piece.stride);
      sgemm(piece, b.row_range(k, k_end), c.row_range(row, row_end), k == 0 ? write : Write::add, alpha);
    }
  }
}

// Every kernel that dnnl_sgemm may choose: by transposition, by what becomes of C, and by shapes with one row
// or column, few and more of them.
void call_every_kernel() {
  constexpr std::int64_t kSide = 64;
  std::vector<float> a(kSide * kSide), b(kSide * kSide), c(kSide * kSide);
  for (const std::int64_t rows : {std::int64_t{1}, std::int64_t{8}, kSide}) {
    for (const std::int64_t columns : {std::int64_t{1}, std::int64_t{8}, kSide}) {
      for (const float kept : {0.0f, 0.5f, 1.0f}) {
        for (int choice = 0; choice < 8; ++choice) {
          const Matrix left{a.data(), rows, kSide, kSide, (choice & 1) != 0},
              right{b.data(), kSide, columns, kSide, (choice & 2) != 0};
          sgemm(left, right, {c.data(), rows, columns, kSide, false}, Write::onto(kept),
                (choice & 4) != 0 ? 0.5f : 1.0f);
        }
      }
    }
  }
}

// What a product of nothing leaves.
void keep(const Matrix& c, Write write) {
  for (std::int64_t row = 0; row < c.rows; ++row) {
    float* out = c.data + row * c.stride;
    for (std::int64_t column = 0; column < c.columns; ++column) {
      out[column] = write == Write::over ? 0.0f : write.kept * out[column];
    }
  }
}

}  // namespace

void gemm_block(const Matrix& a, const Matrix& b, const Matrix& c, Write write, float alpha) {
  constexpr std::int64_t kShared = 192;  // columns that pay for the copy
  if (c.rows == 0 || c.columns == 0) return;
  if (a.columns == 0) {
    keep(c, write);
  } else if (a.transposed && c.columns >= kShared) {
    sgemm_of_copies(a, b, c, write, alpha);
  } else {
    sgemm(a, b, c, write, alpha);
  }
}

namespace {

// oneDNN takes it for granted that there is memory for the code that it writes (measured: 13 MiB).
void require_room_for_code() {
  constexpr std::size_t kRoom = std::size_t{32} << 20;
  void* room = mmap(nullptr, kRoom, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (room == MAP_FAILED)
    throw Error(ErrorKind::memory, {.what = "no memory for the code of matrix products"});
  munmap(room, kRoom);
}

}  // namespace

void prepare_gemm() {
  static std::once_flag once;
  std::call_once(once, [] {
    require_room_for_code();
    call_every_kernel();
  });
}

const char* gemm_implementation() {
  static const std::string name = [] {
    const dnnl_version_t* version = dnnl_version();
    return fmt::format("oneDNN {}.{}.{}", version->major, version->minor, version->patch);
  }();
  return name.c_str();
}

// The names are those that ONEDNN_MAX_CPU_ISA takes.
const char* gemm_kernels() {
  constexpr std::array<std::pair<dnnl_cpu_isa_t, const char*>, 10> kNames = {
      {{dnnl_cpu_isa_sse41, "SSE41"},
       {dnnl_cpu_isa_avx, "AVX"},
       {dnnl_cpu_isa_avx2, "AVX2"},
       {dnnl_cpu_isa_avx2_vnni, "AVX2_VNNI"},
       {dnnl_cpu_isa_avx512_mic, "AVX512_MIC"},
       {dnnl_cpu_isa_avx512_mic_4ops, "AVX512_MIC_4OPS"},
       {dnnl_cpu_isa_avx512_core, "AVX512_CORE"},
       {dnnl_cpu_isa_avx512_core_vnni, "AVX512_CORE_VNNI"},
       {dnnl_cpu_isa_avx512_core_bf16, "AVX512_CORE_BF16"},
       {dnnl_cpu_isa_avx512_core_amx, "AVX512_CORE_AMX"}}};
  const dnnl_cpu_isa_t effective = dnnl_get_effective_cpu_isa();
  for (const auto& [isa, name] : kNames) {
    if (isa == effective) return name;
  }
  return "not known by name";  // a newer one, or a machine of which oneDNN tells none
}

}  // namespace surprisal
