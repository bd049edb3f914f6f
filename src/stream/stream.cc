#include "surprisal/stream.h"

namespace surprisal {

void Stream::clear() {
  token.clear();
  position.clear();
  block_position.clear();
  segment.clear();
  visible.clear();
  target.clear();
  label.clear();
  choice.clear();
  sequence.clear();
}

}  // namespace surprisal
