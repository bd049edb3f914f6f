// Which targets belong to a choice: they count in it, and have no loss of their own.
#pragma once

#include <cstddef>
#include <cstdint>

#include "surprisal/stream.h"

namespace surprisal {

// Asked for targets by ascending index. The stream must outlive it.
class Chosen {
 public:
  explicit Chosen(const Stream& stream) : choice_(stream.choice.begin()), end_(stream.choice.end()) {}

  bool operator()(std::size_t target) {
    const auto index = static_cast<std::int32_t>(target);
    while (choice_ != end_ && choice_->option[option_].end <= index) {
      if (++option_ < choice_->option.size()) continue;
      option_ = 0;
      ++choice_;
    }
    return choice_ != end_ && choice_->option[option_].begin <= index;
  }

 private:
  std::vector<Choice>::const_iterator choice_, end_;
  std::size_t option_ = 0;
};

}  // namespace surprisal
