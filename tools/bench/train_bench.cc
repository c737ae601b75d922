// The command of `bench train`: flags, the ranks, one line. What a rank does is in train_bench_rank.cc.

#include "tools/bench/train_bench.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/file_system.h"
#include "base/flags.h"
#include "base/status.h"
#include "comm/collective/shard_tree.h"
#include "kernels/kernels.h"
#include "runtime/zoo/zoo.h"
#include "tools/bench/rank_group.h"
#include "tools/bench/report.h"

namespace rm::bench {
namespace {

// What a model is trained with where nothing else is asked for: what other frameworks are measured with, so that the lines
// compare. A model that is not here, or comes from a file, has kDefaultRecipe.
struct Recipe {
  const char* model;
  int64_t rows;           // of a rank's batch
  const char* optimizer;  // SGD has momentum 0.9
  double lr;
};
constexpr Recipe kRecipes[] = {{"mlp", 128, "SGD", 0.05},
                               {"convnet", 64, "SGD", 0.05},
                               {"resnet18", 32, "SGD", 0.05},
                               {"gpt", 12, "AdamW", 0.001}};
constexpr Recipe kDefaultRecipe = {"", 32, "SGD", 0.05};

constexpr int64_t kDefaultShards = 8;

// The flags with their defaults.
struct Options {
  std::string model = "mlp";
  int64_t ranks = 2;
  int64_t threads = 1;
  int64_t batch = 0;
  int64_t global_batch = 0;
  int64_t steps = 60;
  int64_t seed = 1;
  std::string optimizer = "auto";
  double lr = -1;
  std::string transport = "auto";
  std::string determinism = "fast";
  int64_t virtual_shards = 0;
  std::string precision = "fp32";
  std::string save_weights;
  std::vector<std::string> params;
  std::string output = "table";
  bool help = false;
};

absl::StatusOr<Options> ParseOptions(int argc, char** argv, std::string* help) {
  Options o;
  base::FlagSet flags("trainctl bench train",
                      "Measures training throughput on synthetic data, ranks being processes.");
  flags.Text("model", "NAME|FILE.onnx",
             absl::StrCat("a file, with --batch, or a model of the zoo: ",
                          absl::StrJoin(zoo::ModelNames(), ", ")),
             &o.model);
  flags.Integer("ranks", "N", "rank processes", 1, 1024, &o.ranks);
  flags.Integer("threads", "N", "threads a rank", 1, 1024, &o.threads);
  flags.Integer("batch", "N", "rows of a batch on each rank (0: the model's own)", 0, 1 << 24,
                &o.batch);
  flags.Integer("global-batch", "N", "rows of a batch over all ranks (0: batch × ranks)", 0,
                1 << 24, &o.global_batch);
  flags.Integer("steps", "N", "measured steps, in 6 windows", 1, 1 << 30, &o.steps);
  flags.Integer("seed", "N", "seed of data and weights", 0, int64_t{1} << 53, &o.seed);
  flags.Choice("optimizer", {"auto", "SGD", "AdamW"},
               "auto: AdamW for gpt, else SGD; SGD has momentum 0.9", &o.optimizer);
  flags.Number("lr", "X", "learning rate (-1: 0.05 for SGD, 0.001 for AdamW)", -1, 1e6, &o.lr);
  flags.Choice("transport", {"auto", "grpc", "shm", "tcp"}, "how ranks talk", &o.transport);
  flags.Choice("determinism", {"fast", "exact"},
               "exact: the same bits for any number of ranks; exactly --steps steps, no warm-up",
               &o.determinism);
  flags.Integer("virtual-shards", "V", "exact: parts of the global batch (0: 8, or more for more ranks)",
                0, 1 << 16, &o.virtual_shards);
  flags.Choice("precision", {"fp32", "bf16"},
               "bf16: convolutions and products, where the CPU multiplies it", &o.precision);
  flags.Text("save-weights", "FILE", "write the last weights as safetensors", &o.save_weights);
  flags.Texts("param", "NAME=VALUE", "parameter of the zoo model; may be repeated", &o.params);
  flags.Choice("output", {"table", "json"}, "form of the line", &o.output);
  flags.Letter('o', "output");
  RM_RETURN_IF_ERROR(flags.Parse(argc, argv));
  *help = flags.Help();
  o.help = flags.help_asked();
  if (!o.help) RM_RETURN_IF_ERROR(flags.NoPositionals());
  if (o.batch > 0 && o.global_batch > 0) {
    return absl::InvalidArgumentError("give --batch or --global-batch, not both");
  }
  return o;
}

bool IsFile(const Options& o) { return absl::EndsWith(o.model, ".onnx"); }

const Recipe& RecipeOf(const std::string& model) {
  for (const Recipe& recipe : kRecipes) {
    if (model == recipe.model) return recipe;
  }
  return kDefaultRecipe;
}

// The learning rate goes with the optimizer, whichever model it trains.
absl::Status FillOptimizer(Options& o) {
  if (o.lr < 0 && o.lr != -1) return absl::InvalidArgumentError("--lr must be 0 or more, or -1");
  if (o.optimizer == "auto") o.optimizer = RecipeOf(o.model).optimizer;
  if (o.lr >= 0) return absl::OkStatus();
  for (const Recipe& recipe : kRecipes) {
    if (o.optimizer == recipe.optimizer) o.lr = recipe.lr;
  }
  return absl::OkStatus();
}

// Shards that were asked for are taken or refused, never rounded: the bits depend on them.
absl::Status FillShards(Options& o) {
  if (o.determinism != "exact") {
    if (o.virtual_shards == 0) return absl::OkStatus();
    return absl::InvalidArgumentError("--virtual-shards goes with --determinism exact");
  }
  if (o.virtual_shards == 0) {
    o.virtual_shards = kDefaultShards;
    while (o.virtual_shards < o.ranks) o.virtual_shards *= 2;
  }
  RM_RETURN_IF_ERROR(base::Annotate(
      comm::CheckShards(static_cast<int>(o.virtual_shards), static_cast<int>(o.ranks)),
      "--virtual-shards"));
  if (o.global_batch % o.virtual_shards == 0) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "--virtual-shards: ", o.virtual_shards, " shards do not divide a global batch of ",
      o.global_batch, "; give a --global-batch that is a multiple of ", o.virtual_shards));
}

// One of batch and global batch follows from the other and the number of ranks. The batch of a file is
// its owner's to say.
absl::Status FillBatchSizes(Options& o) {
  if (IsFile(o) && o.batch == 0 && o.global_batch == 0) {
    return absl::InvalidArgumentError("a model from a file takes --batch or --global-batch");
  }
  if (o.batch == 0 && o.global_batch == 0) o.batch = RecipeOf(o.model).rows;
  if (o.global_batch == 0) o.global_batch = o.batch * o.ranks;
  if (o.global_batch >= o.ranks) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("--global-batch ", o.global_batch,
                                                 " leaves some of ", o.ranks,
                                                 " ranks without a row"));
}

// The model is built here once, for its errors alone: the ranks build their own.
absl::StatusOr<std::map<std::string, double>> ModelParams(const Options& o) {
  std::map<std::string, double> params;
  for (const std::string& text : o.params) {
    const size_t equals = text.find('=');
    double value = 0;
    if (equals == std::string::npos || !absl::SimpleAtod(text.substr(equals + 1), &value) ||
        !std::isfinite(value)) {
      return absl::InvalidArgumentError(
          absl::StrCat("--param: '", text, "' is not NAME=NUMBER"));
    }
    params[text.substr(0, equals)] = value;
  }
  if (IsFile(o)) {
    if (params.empty()) return params;
    return absl::InvalidArgumentError("--param: a model from a file has no parameters to set");
  }
  RM_RETURN_IF_ERROR(base::Annotate(zoo::BuildModel(o.model, {}).status(), "--model"));
  RM_RETURN_IF_ERROR(base::Annotate(zoo::BuildModel(o.model, params).status(), "--param"));
  return params;
}

// What every rank is told.
base::Json SettingsOf(const Options& o, const std::map<std::string, double>& values) {
  base::Json params{base::Json::Object()};
  for (const auto& [name, value] : values) params.Set(name, value);
  base::Json settings;
  settings.Set(IsFile(o) ? "onnx" : "zoo", o.model)
      .Set("global_batch", o.global_batch)
      .Set("steps", o.steps)
      .Set("seed", o.seed)
      .Set("optimizer", o.optimizer)
      .Set("lr", o.lr)
      .Set("virtual_shards", o.virtual_shards)
      .Set("precision", o.precision)
      .Set("transport", o.transport)
      .Set("save_weights", o.save_weights)
      .Set("params", params);
  return settings;
}

// The rate is rank 0's, whose windows lie between barriers and so are everyone's; the share of waiting is the mean over the
// ranks, the memory that of the largest.
base::Json LineOf(const Options& o, const std::vector<base::Json>& results) {
  const base::Json& first = results.front();
  std::vector<double> rates;
  for (const base::Json& rate : first.Find("windows")->array()) rates.push_back(rate.number_or(0));
  const Spread spread = SpreadOf(rates);
  double wait_share = 0;
  int64_t peak = 0;
  for (const base::Json& result : results) {
    wait_share += result.Find("allreduce_wait_share")->number_or(0) /
                  static_cast<double>(results.size());
    peak = std::max(peak, result.Find("peak_rss_bytes")->int_or(0));
  }
  base::Json line;
  line.Set("bench", "train")
      .Set("model", o.model)
      .Set("ranks", o.ranks)
      .Set("threads", o.threads)
      .Set("batch", o.batch > 0 ? o.batch : o.global_batch)
      .Set("steps", o.steps)
      .Set("parameters", *first.Find("parameters"))
      .Set("transport", *first.Find("transport"))
      .Set("samples_per_s", spread.median)
      .Set("samples_per_s_min", spread.least)
      .Set("samples_per_s_max", spread.greatest)
      .Set("first_loss", *first.Find("first_loss"))
      .Set("last_loss", *first.Find("last_loss"))
      .Set("allreduce_wait_share", wait_share)
      .Set("peak_rss_bytes", peak)
      .Set("weights_sha256", *first.Find("weights_sha256"))
      .Set("global_batch", o.global_batch)
      .Set("seed", o.seed)
      .Set("optimizer", o.optimizer)
      .Set("lr", o.lr)
      .Set("determinism", o.determinism)
      .Set("virtual_shards", o.virtual_shards)
      .Set("precision", o.precision);
  AddCircumstances(line);
  return line;
}

// Data-parallel ranks must end with the same weights: a benchmark that diverged measured nothing.
absl::Status CheckReplicas(const std::vector<base::Json>& results) {
  const std::string expected = results.front().Find("weights_sha256")->string_or("");
  for (size_t rank = 1; rank < results.size(); ++rank) {
    if (results[rank].Find("weights_sha256")->string_or("") != expected) {
      return absl::InternalError(
          absl::StrCat("ReplicaDiverged: ranks 0 and ", rank, " end with different weights"));
    }
  }
  return absl::OkStatus();
}

// A measurement of an hour must not end with a folder that was never there.
absl::Status CheckSavePath(const std::string& path) {
  if (path.empty()) return absl::OkStatus();
  const std::string folder = base::ParentPath(path);
  struct stat there = {};
  if (::stat(path.c_str(), &there) == 0 && !S_ISREG(there.st_mode)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--save-weights: ", path, " is there already and no file"));
  }
  if (::access(folder.c_str(), W_OK) == 0) return absl::OkStatus();
  return absl::InvalidArgumentError(
      base::ErrnoStatus(errno, absl::StrCat("--save-weights: ", folder)).message());
}

// Everything that can be wrong with the flags is found before a process is started.
absl::Status RunBench(Options o) {
  RM_ASSIGN_OR_RETURN(const auto params, ModelParams(o));
  RM_RETURN_IF_ERROR(FillOptimizer(o));
  RM_RETURN_IF_ERROR(FillBatchSizes(o));
  RM_RETURN_IF_ERROR(FillShards(o));
  RM_RETURN_IF_ERROR(CheckSavePath(o.save_weights));
  if (o.precision == "bf16") {
    RM_RETURN_IF_ERROR(base::Annotate(kernels::CheckBfloat16(), "--precision"));
  }
  const base::Json settings = SettingsOf(o, params);
  RM_ASSIGN_OR_RETURN(const std::vector<base::Json> results,
                      RunRanks("train", static_cast<int>(o.ranks), static_cast<int>(o.threads),
                               settings));
  RM_RETURN_IF_ERROR(CheckReplicas(results));
  PrintLine(LineOf(o, results), o.output == "json");
  return absl::OkStatus();
}

}  // namespace

int TrainBenchCommand(int argc, char** argv) {
  std::string help;
  const auto options = ParseOptions(argc, argv, &help);
  if (options.ok() && options->help) {
    std::fputs(help.c_str(), stdout);
    return 0;
  }
  const absl::Status status = options.ok() ? RunBench(*options) : options.status();
  if (status.ok()) return 0;
  std::fprintf(stderr, "trainctl bench train: %s\n", std::string(status.message()).c_str());
  return absl::IsInvalidArgument(status) ? 2 : 1;
}

}  // namespace rm::bench
