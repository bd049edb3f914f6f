#include "infer/blanked_text.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "surprisal/error.h"

namespace surprisal {
namespace {

std::vector<std::int32_t> mask_tokens(const Tokenizer& tokenizer) {
  std::vector<std::int32_t> masks;
  const SpecialTokens& special = tokenizer.special();
  for (const auto& mask : {special.mask, special.smask, special.gmask}) {
    if (mask) masks.push_back(*mask);
  }
  return masks;
}

Error no_mask(const Tokenizer& tokenizer) {
  std::vector<std::string> names;
  for (std::int32_t id : mask_tokens(tokenizer)) names.emplace_back(tokenizer.token(id));
  return Error(ErrorKind::usage,
               {.what = "the text has no blank",
                .expected = fmt::format("{} where something is to be filled in", fmt::join(names, " or ")),
                .fix = "to continue a text, give it as a prompt"});
}

void put_frame(const Tokenizer& tokenizer, BlankFrame frame, bool open_end, BlankedText& text) {
  std::vector<std::int32_t> before, behind;
  if (frame == BlankFrame::post_processor) {
    bool seen = false;
    for (const TemplatePiece& piece : tokenizer.single_template()) {
      if (piece.sequence >= 0) seen = true;
      if (piece.sequence < 0) (seen ? behind : before).push_back(piece.id);
    }
  } else if (tokenizer.special().eos) {
    behind.push_back(*tokenizer.special().eos);
  }
  if (open_end) behind.clear();
  text.begin = static_cast<std::int32_t>(before.size());
  text.end = text.begin + static_cast<std::int32_t>(text.ids.size());
  text.ids.insert(text.ids.begin(), before.begin(), before.end());
  text.ids.insert(text.ids.end(), behind.begin(), behind.end());
}

}  // namespace

BlankedText frame_text(const Tokenizer& tokenizer, std::vector<std::int32_t> ids, BlankFrame frame) {
  const std::vector<std::int32_t> masks = mask_tokens(tokenizer);
  const auto is_mask = [&](std::int32_t id) { return std::ranges::find(masks, id) != masks.end(); };
  if (std::ranges::none_of(ids, is_mask)) throw no_mask(tokenizer);
  const bool open_end =
      frame == BlankFrame::post_processor ? ids.back() == tokenizer.special().gmask : is_mask(ids.back());
  BlankedText text{.ids = std::move(ids)};
  put_frame(tokenizer, frame, open_end, text);
  for (std::int32_t row = text.begin; row < text.end; ++row) {
    if (is_mask(text.ids[static_cast<std::size_t>(row)])) text.masks.push_back(row);
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
