#include "adapt/adapter.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "adapt/modules.h"
#include "adapt/target_modules.h"

namespace surprisal {
namespace {

constexpr const char* kBase = "base_model.model.";
constexpr const char* kPrefixBase = "base_model.";  // PEFT wraps nothing within the model for a prefix

double scale_of(const AdapterOptions& options, double alpha, std::int64_t rank) {
  const double r = static_cast<double>(rank);
  return alpha / (options.use_rslora ? std::sqrt(r) : r);
}

LowRankBranch branch_of(const TargetModule& target, const AdapterOptions& options) {
  return {.place = target.module.place,
          .layer = target.module.layer,
          .row_begin = target.module.row_begin,
          .row_end = target.module.row_end,
          .rank = target.rank,
          .scale = scale_of(options, target.alpha, target.rank),
          .dropout = options.lora_dropout,
          .magnitude = options.use_dora,
          .range = options.init_lora_weights == "gaussian" ? 1 / static_cast<double>(target.rank) : 0};
}

// Which of the base's tensors are trained beside, in their place: also, always, a classifier.
class TrainedTensors {
 public:
  TrainedTensors(const AdapterOptions& options, const ModelConfig& config)
      : options_(options), family_(find_family(config.family, "model")), task_(config.task) {
    for (const TargetModule& target : options.lora()
                                          ? find_targets(options, config, "adapter", ErrorKind::usage)
                                          : std::vector<TargetModule>()) {
      const std::string& path = target.module.path;
      adapted_.insert(target.module.part ? path.substr(0, path.rfind('.')) : path);
    }
  }
  bool takes(const std::string& stored) const {
    const std::string module = module_of(stored);
    if (is_of_classifier(family_, task_, stored)) return true;
    if (names_module_or_holder(options_.modules_to_save, module)) return true;
    if (!options_.lora() || !stored.ends_with(".bias") || options_.bias == "none") return false;
    return options_.bias == "all" || adapted_.contains(module);
  }
  // As PEFT names it: a bias of an adapted module lies within the layer that wraps it.
  std::string name(const std::string& stored) const {
    const std::string module = module_of(stored);
    if (options_.prefix()) return kPrefixBase + stored;
    return kBase +
           (adapted_.contains(module) ? module + ".base_layer" + stored.substr(module.size()) : stored);
  }

 private:
  const AdapterOptions& options_;
  const Family& family_;
  Task task_;
  std::set<std::string> adapted_;
};

void check_modules_to_save(const AdapterOptions& options, const ModelConfig& config, const std::string& where,
                           ErrorKind kind) {
  const auto bindings = base_tensors(config);
  for (const std::string& name : options.modules_to_save) {
    std::vector<std::string> known;
    bool found = false;
    for (const auto& [binding, parameter] : bindings) {
      const std::string module = module_of(binding.stored);
      known.push_back(module.substr(module.rfind('.') + 1));
      if (!names_module_or_holder({name}, module)) continue;
      found = true;
      if (parameter != "embedding.token.weight" || !config.tie_word_embeddings) continue;
      throw Error(kind, {.what = fmt::format(
                             "adapter.modules_to_save names {}, which is the vocabulary head too", name),
                         .where = where,
                         .fix = "PEFT would train two of them; leave it out, or train all weights"});
    }
    if (found) continue;
    std::ranges::sort(known);
    known.erase(std::unique(known.begin(), known.end()), known.end());
    throw Error(kind,
                {.what = fmt::format("adapter.modules_to_save names no module of the model: \"{}\"", name),
                 .where = where,
                 .expected = fmt::format("names of {}", fmt::join(known, ", "))});
  }
}

Prefix prefix_of(const AdapterOptions& options, const ModelConfig& config, const std::string& where,
                 ErrorKind kind) {
  Prefix prefix{.length = options.num_virtual_tokens,
                .zero = options.init_weights == "zero",
                .dropout = options.prefix_dropout,
                .shifts_positions = options.position_offset};
  if (options.prefix_projection) {
    prefix.inner = options.encoder_hidden_size > 0 ? options.encoder_hidden_size : config.key_size();
  }
  if (options.prefix_projection && !options.init_text.empty()) {
    throw Error(kind, {.what = "a prefix that is reparametrised cannot start from a text",
                       .where = where,
                       .found = "adapter.prefix_projection and adapter.init_text",
                       .expected = "one of them"});
  }
  if (options.position_offset && options.num_virtual_tokens >= config.max_position_embeddings) {
    throw Error(kind, {.what = "the prefix takes all positions of the model",
                       .where = where,
                       .found = fmt::format("{}", options.num_virtual_tokens),
                       .expected = fmt::format("less than {}", config.max_position_embeddings),
                       .fix = "lower adapter.num_virtual_tokens"});
  }
  return prefix;
}

// The branches of one fused module are written as one.
void check_parts(const std::vector<TargetModule>& targets, const AdapterOptions& options,
                 const std::string& where, ErrorKind kind) {
  const TargetModule* before = nullptr;
  for (const TargetModule& target : targets) {
    if (!target.module.part) continue;
    const auto refuse = [&](const char* why) {
      throw Error(kind, {.what = fmt::format("{} is part of a module that PEFT adapts whole, and {}",
                                             target.module.path, why),
                         .where = where,
                         .fix = "name the whole module in adapter.target_modules"});
    };
    if (options.use_dora) refuse("adapter.use_dora would need magnitudes of its other parts");
    const bool same = before && before->module.layer == target.module.layer;
    if (same &&
        scale_of(options, before->alpha, before->rank) != scale_of(options, target.alpha, target.rank)) {
      refuse("its scale lora_alpha / r is another than that of the part before");
    }
    before = &target;
  }
}

// The module of a branch: its own, or the fused one that it stands beside a part of.
const LinearModule& module_of(const std::vector<LinearModule>& modules, const LowRankBranch& branch) {
  const auto own = std::ranges::find_if(
      modules, [&](const LinearModule& module) { return !module.part && module.same_rows(branch); });
  if (own != modules.end()) return *own;
  return *std::ranges::find_if(
      modules, [&](const LinearModule& module) { return !module.part && module.holds(branch); });
}

// Rows that are stored head by head are so in B and in the magnitudes as well.
std::int64_t heads_of(const std::vector<BaseTensor>& base, const LowRankBranch& branch) {
  const std::string weight = linear_name(branch.place, branch.layer) + ".weight";
  for (const auto& [binding, parameter] : base) {
    if (parameter == weight) return binding.heads;
  }
  return 0;
}

}  // namespace

Adaptation make_adaptation(const AdapterOptions& options, const ModelConfig& config, const std::string& where,
                           ErrorKind kind) {
  Adaptation adaptation;
  if (!options.any()) return adaptation;
  check_modules_to_save(options, config, where, kind);
  if (options.lora()) {
    const std::vector<TargetModule> targets = find_targets(options, config, where, kind);
    check_parts(targets, options, where, kind);
    for (const TargetModule& target : targets) {
      const std::int64_t most = std::min(target.module.rows(), config.hidden_size);
      if (target.rank > std::max<std::int64_t>(most, config.intermediate_size)) {
        throw Error(kind, {.what = fmt::format("the rank of {} is beyond its size", target.module.path),
                           .where = where,
                           .found = fmt::format("{}", target.rank)});
      }
      adaptation.branches.push_back(branch_of(target, options));
    }
  } else {
    adaptation.prefix = prefix_of(options, config, where, kind);
  }
  const TrainedTensors trained(options, config);
  for (const auto& [binding, parameter] : base_tensors(config)) {
    if (trained.takes(binding.stored)) {
      adaptation.trained.push_back({parameter, binding.row_begin, binding.row_end});
    }
  }
  return adaptation;
}

std::vector<Binding> adapter_bindings(const AdapterOptions& options, const ModelConfig& config,
                                      const ParameterTable& table) {
  std::vector<Binding> bindings;
  const auto add = [&](std::string stored, const std::string& name, std::int64_t heads = 0) {
    const int parameter = table.find(name);
    bindings.push_back({.stored = std::move(stored),
                        .parameter = parameter,
                        .row_begin = 0,
                        .row_end = table.parameters[static_cast<std::size_t>(parameter)].shape[0],
                        .heads = heads});
  };
  const std::vector<LinearModule> modules = linear_modules(config);
  const auto base = base_tensors(config);
  for (const LowRankBranch& branch : config.adaptation.branches) {
    const LinearModule& module = module_of(modules, branch);
    if (!module.same_rows(branch)) continue;
    const std::string stored = kBase + module.path, ours = branch_name(branch);
    const std::int64_t heads = heads_of(base, branch);
    add(stored + ".lora_A.weight", ours + ".lora_A");
    add(stored + ".lora_B.weight", ours + ".lora_B", heads);
    if (branch.magnitude) add(stored + ".lora_magnitude_vector", ours + ".lora_magnitude", heads);
  }
  if (config.adaptation.prefix.length > 0 && config.adaptation.prefix.inner == 0) {
    add("prompt_embeddings", "prefix.weight");
  }
  const TrainedTensors trained(options, config);
  for (auto [binding, parameter] : base) {
    if (!trained.takes(binding.stored)) continue;
    binding.stored = trained.name(binding.stored);
    binding.parameter = table.find(parameter);
    bindings.push_back(std::move(binding));
  }
  return bindings;
}

std::vector<FusedBranches> fused_branches(const AdapterOptions& options, const ModelConfig& config,
                                          const ParameterTable& table) {
  std::vector<FusedBranches> fused;
  const std::vector<LinearModule> modules = linear_modules(config);
  for (const LowRankBranch& branch : config.adaptation.branches) {
    const LinearModule& module = module_of(modules, branch);
    if (module.same_rows(branch)) continue;
    if (fused.empty() || fused.back().module != kBase + module.path) {
      fused.push_back({.module = kBase + module.path, .in = config.hidden_size, .out = module.rows()});
    }
    const std::string name = branch_name(branch);
    fused.back().parts.push_back({.a = table.find(name + ".lora_A"),
                                  .b = table.find(name + ".lora_B"),
                                  .row_begin = branch.row_begin - module.row_begin,
                                  .rows = branch.row_end - branch.row_begin,
                                  .rank = branch.rank});
    FusedBranches& whole = fused.back();
    whole.rank += branch.rank;
    const double rank = static_cast<double>(whole.rank);
    whole.alpha = branch.scale * (options.use_rslora ? std::sqrt(rank) : rank);
  }
  return fused;
}

}  // namespace surprisal
