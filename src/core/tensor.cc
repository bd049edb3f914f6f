#include "core/tensor.h"

namespace surprisal {

std::size_t size_of(Dtype dtype) {
  switch (dtype) {
    case Dtype::f64:
      return 8;
    case Dtype::bf16:
    case Dtype::f16:
      return 2;
    case Dtype::f32:
    case Dtype::i32:
      return 4;
  }
  return 0;
}

Shape::Shape(std::initializer_list<std::int64_t> sizes) {
  for (std::int64_t size : sizes) size_[static_cast<std::size_t>(rank_++)] = size;
}

std::int64_t Shape::elements() const {
  std::int64_t product = 1;
  for (int axis = 0; axis < rank_; ++axis) product *= (*this)[axis];
  return product;
}

std::string Shape::to_string() const {
  std::string text = "[";
  for (int axis = 0; axis < rank_; ++axis) text += (axis ? ", " : "") + std::to_string((*this)[axis]);
  return text + "]";
}

Tensor Tensor::rows(std::int64_t begin, std::int64_t end) const {
  Tensor part = *this;
  std::int64_t row_elements = shape.rank() == 0 || shape[0] == 0 ? 0 : elements() / shape[0];
  if (data)
    part.data = static_cast<char*>(data) + static_cast<std::size_t>(begin * row_elements) * size_of(dtype);
  switch (shape.rank()) {
    case 2:
      part.shape = {end - begin, shape[1]};
      break;
    case 3:
      part.shape = {end - begin, shape[1], shape[2]};
      break;
    case 4:
      part.shape = {end - begin, shape[1], shape[2], shape[3]};
      break;
    default:
      part.shape = {end - begin};
      break;
  }
  return part;
}

}  // namespace surprisal
