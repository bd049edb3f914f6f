// "0.5 causal | 0.5 mlm + nsp".
#include "objective/specification.h"

#include <cmath>

#include "fuzz/target.h"

namespace surprisal::fuzz {

void read(std::string_view input) {
  const std::vector<WrittenPart> parts = parse_specification(std::string(input));
  expect(!parts.empty(), "a specification without a part");
  for (const WrittenPart& part : parts) {
    expect(!part.terms.empty() && std::isfinite(part.share) && part.share >= 0, "a part that is none");
    for (const WrittenTerm& term : part.terms) {
      expect(!term.name.empty() && input.substr(term.offset, term.name.size()) == term.name,
             "a name from elsewhere");
    }
  }
}

std::vector<std::string> seeds() {
  return {"mlm", "mlm + 0.5 nsp", "0.5 causal | .5 reverse", "1e-3 mlm + 2 sop | 1 causal",
          " 2 3 mlm+nsp|a_b-c "};
}

}  // namespace surprisal::fuzz
