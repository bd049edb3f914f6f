// A tensor is a view: it owns nothing. Row-major, sizes slowest first. Dim legend for the whole project:
// N tokens, T targets, S labels, D width, H heads, V vocabulary, F feed-forward width, P prefix.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>

namespace surprisal {

enum class Dtype : std::uint8_t { f32, f64, bf16, f16, i32 };
enum class Device : std::uint8_t { cpu };

std::size_t size_of(Dtype dtype);

class Shape {
 public:
  static constexpr int kMaxRank = 4;
  Shape() = default;
  Shape(std::initializer_list<std::int64_t> sizes);

  int rank() const { return rank_; }
  std::int64_t operator[](int axis) const { return size_[static_cast<std::size_t>(axis)]; }
  std::int64_t elements() const;  // 1 for rank 0
  std::string to_string() const;  // "[211, 36]"
  friend bool operator==(const Shape&, const Shape&) = default;

 private:
  std::array<std::int64_t, kMaxRank> size_{};
  int rank_ = 0;
};

struct Tensor {
  void* data = nullptr;
  Shape shape;
  Dtype dtype = Dtype::f32;
  Device device = Device::cpu;

  std::int64_t elements() const { return shape.elements(); }
  std::size_t bytes() const { return static_cast<std::size_t>(elements()) * size_of(dtype); }
  float* f32() const { return static_cast<float*>(data); }  // REQUIRES dtype == f32
  std::int32_t* i32() const { return static_cast<std::int32_t*>(data); }
  // Rows [begin, end) of the first axis.
  Tensor rows(std::int64_t begin, std::int64_t end) const;
};

}  // namespace surprisal
