#include "text/sentencepiece/sentencepiece_files.h"

#include <algorithm>
#include <system_error>
#include <unordered_set>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "text/sentencepiece/icetk.h"
#include "text/sentencepiece/sentencepiece_json.h"
#include "text/tokenizer/legacy_files.h"

namespace surprisal {
namespace {

namespace fs = std::filesystem;
using Piece = SentencePieceModel::Piece;
using Type = SentencePieceModel::Type;

constexpr const char* kUsualNames[] = {"tokenizer.model", "spiece.model", "sentencepiece.bpe.model",
                                       "ice_text.model"};

enum class Family { library, llama, glm, icetk };

Family family_of(const LegacyFiles& parsed, const std::string& where) {
  std::string name = parsed.tokenizer_class();
  if (name.empty()) {
    name = get_string_or(parsed.model_config, "model_type", parsed.directory + "/config.json", "");
  }
  static constexpr std::pair<std::string_view, Family> kKnown[] = {
      {"", Family::library},          {"PreTrainedTokenizer", Family::library},
      {"glm", Family::glm},           {"GLMChineseTokenizer", Family::glm},
      {"llama", Family::llama},       {"LlamaTokenizer", Family::llama},
      {"glm-130b", Family::icetk},    {"icetk", Family::icetk},
      {"IceTokenizer", Family::icetk}};
  for (auto [known, family] : kKnown) {
    if (name == known) return family;
  }
  refuse_class(parsed, name, fs::path(where).filename().string(),
               "LlamaTokenizer, GLMChineseTokenizer or icetk");
}

TokenRoles roles_of(const SentencePieceModel& model) {
  TokenRoles roles = {{"unk_token", std::string(model.text(model.unknown))}};
  auto add = [&](const char* role, std::int32_t id) {
    if (std::string_view text = model.text(id); !text.empty()) roles[role] = std::string(text);
  };
  add("bos_token", model.begin_id);
  add("eos_token", model.end_id);
  add("pad_token", model.padding_id);
  return roles;
}

// The unknown piece and the control pieces are special tokens, as in transformers: SentencePiece itself does
// not look for them in text.
void add_special_pieces(const SentencePieceModel& model, std::vector<AddedToken>& tokens) {
  std::unordered_set<std::int32_t> known;
  for (const AddedToken& token : tokens) known.insert(token.id);
  std::int32_t id = 0;
  for (const Piece& piece : model.pieces) {
    bool special = piece.type == Type::control || piece.type == Type::unknown;
    if (special && !known.contains(id)) {
      AddedToken token{.content = piece.text, .id = id, .special = true, .spelling = ""};
      // What stands before a mask goes with it.
      token.lstrip = piece.text.ends_with("MASK]");
      tokens.push_back(std::move(token));
    }
    ++id;
  }
  std::sort(tokens.begin(), tokens.end(),
            [](const AddedToken& a, const AddedToken& b) { return a.id < b.id; });
}

OrderedJson post_processor(Family family, const LegacyFiles& parsed, const LegacyTokens& tokens) {
  if (family == Family::llama) return bos_and_eos_template(parsed, tokens, true);
  auto cls = tokens.roles.find("cls_token"), eos = tokens.roles.find("eos_token");
  bool both = cls != tokens.roles.end() && cls->second && eos != tokens.roles.end() && eos->second;
  if (family != Family::glm || !both) return nullptr;
  TemplatePart begin{*cls->second}, end{*eos->second}, a{"A", 0, false}, b{"B", 0, false};
  return template_json({begin, a, end}, {begin, a, b, end}, tokens);
}

}  // namespace

std::optional<fs::path> find_sentencepiece_file(const fs::path& directory) {
  std::error_code ignored;
  for (const char* name : kUsualNames) {
    if (fs::exists(directory / name, ignored)) return directory / name;
  }
  std::vector<fs::path> found;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, ignored)) {
    if (entry.path().extension() == ".model") found.push_back(entry.path());
  }
  if (found.size() > 1) {
    std::sort(found.begin(), found.end());
    throw Error(ErrorKind::data, {.what = "several .model files",
                                  .where = directory.string(),
                                  .found = fmt::format("{} and {}", found[0].filename().string(),
                                                       found[1].filename().string()),
                                  .fix = "name one of them"});
  }
  return found.empty() ? std::nullopt : std::optional(found.front());
}

TokenizerFiles convert_sentencepiece(const VocabularyFiles& files, const std::string& where) {
  LegacyFiles parsed(files);
  Family family = family_of(parsed, where);
  SentencePieceModel model = read_sentencepiece_model(files.vocabulary, where);
  SentencePieceOptions options{.icetk = family == Family::icetk, .add_dummy_prefix = true};
  if (options.icetk) {
    model = icetk_model(std::move(model), where);
    options.add_dummy_prefix =
        get_bool_or(parsed.tokenizer_config, "add_dummy_prefix", parsed.config_name, true);
  }
  std::vector<std::string> spellings;
  for (const Piece& piece : model.pieces) spellings.push_back(piece.text);
  TokenRoles roles = roles_of(model);
  if (options.icetk) roles["mask_token"] = "[MASK]";
  LegacyTokens tokens =
      read_legacy_tokens(parsed.token_files(), std::move(roles), Vocabulary(std::move(spellings), where));
  add_special_pieces(model, tokens.tokens);
  TokenizerComponents components = sentencepiece_components(model, files.vocabulary, options);
  TokenizerFiles result = assemble(parsed, tokens,
                                   {.normalizer = std::move(components.normalizer),
                                    .pre_tokenizer = std::move(components.pre_tokenizer),
                                    .post_processor = post_processor(family, parsed, tokens),
                                    .decoder = std::move(components.decoder),
                                    .model = std::move(components.model)});
  result.where = where;
  return result;
}

}  // namespace surprisal
