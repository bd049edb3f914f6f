#include "text/tokenizer/aligned_text.h"

#include <numeric>
#include <utility>

namespace surprisal {

Origins Origins::in_place(std::size_t size, std::uint32_t begin) {
  Origins origins;
  origins.kind_ = Kind::in_place;
  origins.size_ = size;
  origins.begin_ = begin;
  return origins;
}

Origins Origins::unknown() {
  Origins origins;
  origins.kind_ = Kind::unknown;
  return origins;
}

void Origins::reserve(std::size_t size) {
  if (kind_ == Kind::listed) places_.reserve(size);
}

void Origins::append(const Origins& other, std::size_t begin, std::size_t end) {
  if (kind_ == Kind::unknown) {
    size_ += end - begin;
    return;
  }
  if (kind_ == Kind::in_place) list();
  if (other.kind_ == Kind::listed) {
    places_.insert(places_.end(), other.places_.begin() + static_cast<std::ptrdiff_t>(begin),
                   other.places_.begin() + static_cast<std::ptrdiff_t>(end));
    return;
  }
  std::size_t before = places_.size();
  places_.resize(before + (end - begin));
  if (other.kind_ == Kind::in_place) {
    std::iota(places_.begin() + static_cast<std::ptrdiff_t>(before), places_.end(), other[begin]);
  }
}

Origins Origins::slice(std::size_t begin, std::size_t end) const {
  if (kind_ == Kind::in_place) return in_place(end - begin, begin_ + static_cast<std::uint32_t>(begin));
  Origins origins = successor();
  origins.append(*this, begin, end);
  return origins;
}

void Origins::list() {
  places_.resize(size_);
  std::iota(places_.begin(), places_.end(), begin_);
  kind_ = Kind::listed;
}

AlignedText AlignedText::from(std::string_view text, std::uint32_t begin) {
  return {std::string(text), Origins::in_place(text.size(), begin)};
}

AlignedText AlignedText::slice(ByteSpan span) const {
  return {text.substr(span.begin, span.end - span.begin), origin.slice(span.begin, span.end)};
}

AlignedText AlignedText::successor() const {
  return {{}, origin.successor()};
}

void AlignedText::append(std::string_view bytes, std::uint32_t from) {
  text += bytes;
  origin.resize(text.size(), from);
}

void AlignedText::append(const AlignedText& other, ByteSpan span) {
  text.append(other.text, span.begin, span.end - span.begin);
  origin.append(other.origin, span.begin, span.end);
}

void AlignedText::clear() {
  text.clear();
  origin.resize(0);
}

Words Words::from(AlignedText content) {
  Words words{std::move(content), {}};
  if (!words.content.text.empty()) {
    words.spans.push_back({0, static_cast<std::uint32_t>(words.content.text.size())});
  }
  return words;
}

}  // namespace surprisal
