#include "infer/blanked_text.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "surprisal/error.h"

#include "objective/blank_window.h"
#include "text/tokenizer/special_tokens.h"

namespace surprisal {
namespace {

Error no_mask(const Tokenizer& tokenizer) {
  std::vector<std::string> names;
  const SpecialTokens& special = tokenizer.special();
  for (const auto& mask : {special.mask, special.smask, special.gmask}) {
    if (mask) names.emplace_back(tokenizer.token(*mask));
  }
  return Error(ErrorKind::usage,
               {.what = "the text has no blank",
                .expected = fmt::format("{} where something is to be filled in", fmt::join(names, " or ")),
                .fix = "to continue a text, give it as a prompt"});
}

void put_frame(const Tokenizer& tokenizer, BlankFrame frame, bool open_end, BlankedText& text) {
  BlankSurround surround;
  if (frame == BlankFrame::as_trained) {
    surround = BlankSurround::of("blank_infilling", tokenizer);
  } else if (tokenizer.special().eos) {
    surround.after.push_back(*tokenizer.special().eos);
  }
  if (open_end) surround.after.clear();
  text.begin = static_cast<std::int32_t>(surround.before.size());
  text.end = text.begin + static_cast<std::int32_t>(text.ids.size());
  text.ids.insert(text.ids.begin(), surround.before.begin(), surround.before.end());
  text.ids.insert(text.ids.end(), surround.after.begin(), surround.after.end());
}

}  // namespace

BlankedText frame_text(const Tokenizer& tokenizer, std::vector<std::int32_t> ids, BlankFrame frame) {
  const auto is_blank = [&](std::int32_t id) { return is_mask(tokenizer.special(), id); };
  if (std::ranges::none_of(ids, is_blank)) throw no_mask(tokenizer);
  const bool open_end =
      frame == BlankFrame::as_trained ? ids.back() == tokenizer.special().gmask : is_blank(ids.back());
  BlankedText text{.ids = std::move(ids)};
  put_frame(tokenizer, frame, open_end, text);
  for (std::int32_t row = text.begin; row < text.end; ++row) {
    if (is_blank(text.ids[static_cast<std::size_t>(row)])) text.masks.push_back(row);
  }
  return text;
}

std::vector<std::int32_t> fill_in(const BlankedText& text, std::span<const GeneratedTokens> pieces,
                                  bool whole) {
  std::vector<std::int32_t> ids;
  auto piece = pieces.begin();
  for (std::int32_t row = text.begin; row < text.end; ++row) {
    if (!std::ranges::binary_search(text.masks, row)) {
      ids.push_back(text.ids[static_cast<std::size_t>(row)]);
      continue;
    }
    if (piece == pieces.end()) break;
    ids.insert(ids.end(), piece->ids.begin(), piece->ids.end());
    if (++piece == pieces.end() && !whole) break;
  }
  return ids;
}

}  // namespace surprisal
