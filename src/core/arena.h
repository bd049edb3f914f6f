// Memory that is laid out once, before the first step. The same code runs twice: on a measuring arena, which
// only adds up sizes, and after reserve() on the memory itself. So what was printed before the start is what
// is used.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "core/tensor.h"

namespace surprisal {

class Arena {
 public:
  static constexpr std::size_t kAlignment = 64;

  // `kind` names the memory in reports and errors: "weights", "activations" ...
  // `fix` says in the error what would take less.
  explicit Arena(std::string kind,
                 std::string fix = "lower train.micro_batch_tokens or the size of the model")
      : kind_(std::move(kind)), fix_(std::move(fix)) {}
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // The next tensor, 64-byte aligned. Before reserve(): data is null and only the size is counted.
  Tensor take(Shape shape, Dtype dtype = Dtype::f32);

  // Scratch is given back by rewinding to a mark; the peak is what is reserved.
  std::size_t mark() const { return used_; }
  void rewind(std::size_t mark) { used_ = mark; }

  // Allocates the peak measured so far, zeroes and touches all of it, and starts again from the beginning.
  // Throws Error (memory) naming kind and bytes. May be called once.
  void reserve();

  bool reserved() const { return base_ != nullptr; }
  std::size_t peak_bytes() const { return peak_; }
  const std::string& kind() const { return kind_; }

 private:
  std::string kind_, fix_;
  std::byte* base_ = nullptr;
  std::size_t capacity_ = 0, used_ = 0, peak_ = 0;
};

}  // namespace surprisal
