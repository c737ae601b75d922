// One line a key. The order is the one people read in docs and in ToYaml: first what the job is,
// then what it computes, then where and when it runs. Bounds are wide: they catch slips of the hand
// and keep later arithmetic from overflowing, and leave it to people what is sensible.
#include "runtime/jobspec/key_table.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace rm::jobspec {
namespace {

// A key of any type; its field has its own name until Field() says otherwise.
constexpr Key Make(absl::string_view path, KeyType type, absl::string_view doc) {
  Key key;
  key.path = path;
  key.type = type;
  key.doc = doc;
  key.field = path;
  return key;
}

constexpr Key Text(absl::string_view path, absl::string_view doc) {
  return Make(path, KeyType::kText, doc);
}
constexpr Key Choice(absl::string_view path, absl::string_view choices, absl::string_view doc) {
  Key key = Make(path, KeyType::kChoice, doc);
  key.choices = choices;
  return key;
}
constexpr Key Whole(absl::string_view path, Range range, absl::string_view doc) {
  return Make(path, KeyType::kWhole, doc).In(range);
}
constexpr Key Number(absl::string_view path, Range range, absl::string_view doc) {
  return Make(path, KeyType::kNumber, doc).In(range);
}
// No duration of a job is longer than a year; longer ones are slips.
constexpr Key Duration(absl::string_view path, absl::string_view doc) {
  constexpr double kYear = 365.0 * 24 * 3600;
  return Make(path, KeyType::kDuration, doc).In({0, kYear});
}
// A key of a later version: refused by name, never silently accepted.
constexpr Key NotYet(absl::string_view path, absl::string_view doc) {
  return Make(path, KeyType::kLater, doc);
}

// Steps × batch stays below 2⁶³: the position of a sample in the job's endless sequence is an
// int64.
constexpr double kStepsMax = 1e10;
constexpr double kBatchMax = 1e8;
constexpr double kPartsMax = 1e6;
constexpr double kSeedMax = 9007199254740992.0;  // 2⁵³: the same number in every language's JSON
// The same bound for seconds that are written as a number.
constexpr double kShardsMax = 1 << 16;  // comm::kVirtualShardsMax
constexpr double kSecondsMax = 365.0 * 24 * 3600;

constexpr Key kKeys[] = {
    Choice("apiVersion", "ringmaster/v1", "Version of the format of this file")
        .Field("api_version").Required(),
    Choice("kind", "train", "What the job does")
        .Later("evaluate|predict|serve|stream|tune|command").Required(),
    // 56 characters: with the coordinator's id behind it, still a DNS label.
    Text("name", "Name for people: a-z, 0-9 and '-'; the coordinator adds a unique id")
        .Pattern("^[a-z0-9]([a-z0-9-]{0,54}[a-z0-9])?$").Required(),
    Make("labels", KeyType::kTextMap, "Names and values of your own, to find jobs by"),

    Text("model.zoo", "Name of a built-in model: mlp, convnet, resnet18, gpt"),
    Make("model.params", KeyType::kNumberMap, "What the built-in model takes"),
    Make("model.onnx", KeyType::kFile,
         "An ONNX file with the network; its weights are the first values"),
    NotYet("model.from", "A checkpoint of another job"),
    Make("model.weights", KeyType::kFile,
         "A safetensors file with first values of the weights, found by their names"),
    Make("model.freeze", KeyType::kTextList,
         "Patterns of names of weights that are not trained: '*' any text, '?' one character"),
    Choice("model.loss", "softmax_cross_entropy|mse|sigmoid_binary_cross_entropy",
           "What is made small: of classes, of numbers, of numbers from 0 to 1")
        .Default("softmax_cross_entropy"),
    Number("model.label_smoothing", {0, 1, false, true}, "Share of a label given to all classes")
        .Default("0"),

    Make("data.train.path", KeyType::kPath, "Where the training samples are").Required(),
    Choice("data.train.format", "idx|csv|npy|tokens", "How they are stored")
        .Later("image_folder|parquet").Required(),
    Make("data.validation.path", KeyType::kPath, "Where the validation samples are")
        .RequiredInSection(),
    Choice("data.validation.format", "idx|csv|npy|tokens", "How they are stored")
        .Later("image_folder|parquet").RequiredInSection(),
    Make("data.schema.features", KeyType::kTextList,
         "csv: columns that make the model's input, in this order; all but the label if not given"),
    Text("data.schema.label", "csv: column that the model is to find out: a class, or a number"),
    Make("data.schema.types", KeyType::kTextMap,
         "csv: what columns hold; what is not named is float, the label of classes int")
        .Among("float|int|category"),
    Choice("data.schema.missing", "error|zero|mean",
           "csv: what an empty field of a feature is; error if not given"),
    Make("data.inputs", KeyType::kTextListMap,
         "csv: columns of each input of the model, in this order; all features, to the only input, "
         "if not given"),
    NotYet("data.text", "How text becomes tokens"),
    NotYet("data.augment", "Random changes of training samples"),
    Choice("data.on_bad_record", "fail|skip|quarantine",
           "What becomes of a sample that cannot be used").Default("fail"),

    Number("train.epochs", {0, 1e6, true}, "Passes over the training samples (or give steps)"),
    Whole("train.steps", {1, kStepsMax}, "Updates of the weights (or give epochs)"),
    Whole("train.global_batch_size", {1, kBatchMax},
          "Samples of one update, over all ranks together").Required(),
    Whole("train.gradient_accumulation", {1, kPartsMax}, "Parts a rank's share is computed in")
        .Default("1"),
    Choice("train.determinism", "fast|exact",
           "exact: the same bits for every number of ranks, on machines that are alike")
        .Default("fast"),
    Whole("train.virtual_shards", {1, kShardsMax},
          "exact: parts that the global batch is cut into; the least power of two that is no less "
          "than the ranks if not given"),
    Choice("train.precision", "fp32|bf16",
           "Type of the numbers computed with; bf16: convolutions and products, on CPUs that have "
           "avx512_bf16 or amx_bf16")
        .Later("fp16").Default("fp32"),
    Whole("train.seed", {0, kSeedMax}, "Keys the first weights and the order of samples")
        .Default("1"),
    Number("train.gradient_clipping", {0, 1e6, true},
           "Bound on the norm of the gradient of all weights together; none if not given"),
    Choice("train.optimizer.type", "SGD|Adam|AdamW", "Rule of the update")
        .Later("LAMB|Adagrad|RMSprop|Lion").Default("SGD"),
    Make("train.optimizer.params", KeyType::kNumberMap, "What the optimizer takes"),
    Make("train.optimizer.no_decay", KeyType::kTextList,
         "Patterns of names of weights without weight decay"),
    Choice("train.scheduler.type", "ConstantLR|StepLR|WarmupCosineLR",
           "Learning rate over the steps")
        .Later("WarmupLR|WarmupDecayLR|OneCycle").Default("ConstantLR"),
    Make("train.scheduler.params", KeyType::kNumberMap, "What the schedule takes"),
    NotYet("train.ema", "A moving average of the weights"),
    NotYet("train.sync_batchnorm", "Batch statistics over all ranks"),
    Number("train.evaluate_every.epochs", {0, 1e6, true}, "Epochs between two validations")
        .Default("1"),
    Whole("train.evaluate_every.steps", {1, kStepsMax}, "Steps between two validations"),
    NotYet("train.early_stopping", "End when a metric gets no better"),
    Choice("train.on_nonfinite", "fail", "What becomes of a step with NaN or infinity")
        .Later("skip_step").Default("fail"),

    Make("resources.ranks", KeyType::kRanks, "Processes that train together").In({1, 1e5})
        .Default("1"),
    Whole("resources.slots_per_rank", {1, 4096}, "Slots of a worker that each rank takes")
        .Default("1"),
    Choice("resources.accelerator", "cpu", "What a slot must be").Later("cuda").Default("cpu"),
    NotYet("resources.memory_per_rank", "Memory that a rank needs"),
    Make("resources.node_selector", KeyType::kTextMap, "Labels that a worker must have"),
    Choice("resources.placement", "pack", "Few workers, or many").Later("spread|topology")
        .Default("pack"),

    Choice("scheduling.pool", "default", "Part of the cluster").Default("default"),
    NotYet("scheduling.group", "Account of fair share; your own if not given"),
    Whole("scheduling.priority", {0, 99}, "Higher goes first").Default("50"),
    NotYet("scheduling.preemptible", "May make room for others"),
    Whole("scheduling.max_restarts", {0, 1e6}, "Recoveries before the job fails").Default("5"),
    Duration("scheduling.time_limit", "Longest time in all; 0s: none"),
    Duration("scheduling.queue_timeout", "Longest time in the queue; 0s: none"),
    NotYet("scheduling.begin", "Not before this time"),
    Duration("scheduling.grace_period", "Time to save and leave when asked to stop")
        .Default("30s"),
    Duration("scheduling.recovery_grace", "How long survivors wait for a slot").Default("5m"),
    Duration("scheduling.hang_after", "How long a rank may stand still while others wait")
        .In({1, kSecondsMax}).Default("60s"),
    NotYet("scheduling.depends_on", "Jobs that must have succeeded"),
    NotYet("scheduling.array", "The same job many times"),

    Make("checkpoint.path", KeyType::kPath,
         "Folder for the job's checkpoints; the cluster's storage if not given"),
    Whole("checkpoint.every.steps", {1, kStepsMax}, "Steps between two checkpoints")
        .Default("500"),
    Number("checkpoint.every.seconds", {0, kSecondsMax, true}, "Seconds between two checkpoints"),
    Whole("checkpoint.keep.last", {1, 1e6}, "Checkpoints kept, the newest ones")
        .Field("checkpoint.keep_last").Default("2"),
    NotYet("checkpoint.keep.best", "Checkpoints kept, the best ones").Field("checkpoint.keep_best"),
    NotYet("checkpoint.keep.metric", "What best means").Field("checkpoint.keep_metric"),
    NotYet("checkpoint.keep.mode", "max or min").Field("checkpoint.keep_mode"),
    Choice("checkpoint.on_error", "warn|fail", "What becomes of the job when a save fails")
        .Default("warn"),

    Choice("communication.transport", "auto|grpc|shm|tcp", "How gradients travel")
        .Later("nccl").Default("auto"),
    Make("communication.bucket_size", KeyType::kBytes, "Gradients that are reduced as one")
        .In({1024, 1LL << 31}).Default("8MiB"),
    Choice("communication.wire_dtype", "fp32", "Type of gradients on the wire").Later("bf16")
        .Default("fp32"),
};

// True when `path` lies below `section`, at any depth.
bool IsBelow(absl::string_view path, absl::string_view section) {
  return section.empty() || (path.size() > section.size() && path[section.size()] == '.' &&
                             absl::StartsWith(path, section));
}

// Sections come up once for each of their keys.
void AddNew(absl::string_view text, std::vector<absl::string_view>& list) {
  if (std::find(list.begin(), list.end(), text) == list.end()) list.push_back(text);
}

}  // namespace

absl::Span<const Key> Keys() { return kKeys; }

// Looked through in order: some eighty short texts, for a file that is read once.
const Key* FindKey(absl::string_view path) {
  for (const Key& key : kKeys) {
    if (key.path == path) return &key;
  }
  return nullptr;
}

const Key* FindMapOf(absl::string_view path) {
  for (const Key& key : kKeys) {
    const bool is_map = key.type == KeyType::kTextMap || key.type == KeyType::kNumberMap ||
                        key.type == KeyType::kTextListMap;
    if (is_map && IsBelow(path, key.path)) return &key;
  }
  return nullptr;
}

bool IsSection(absl::string_view path) {
  return std::any_of(std::begin(kKeys), std::end(kKeys),
                     [&](const Key& key) { return IsBelow(key.path, path); });
}

std::vector<absl::string_view> NamesIn(absl::string_view section) {
  std::vector<absl::string_view> names;
  for (const Key& key : kKeys) {
    if (key.type == KeyType::kLater || !IsBelow(key.path, section)) continue;
    const absl::string_view rest = key.path.substr(section.empty() ? 0 : section.size() + 1);
    AddNew(rest.substr(0, rest.find('.')), names);
  }
  return names;
}

// Sections themselves are found, too: `optimizer` at the top level belongs under `train`.
std::vector<absl::string_view> SectionsWith(absl::string_view name) {
  std::vector<absl::string_view> sections;
  for (const Key& key : kKeys) {
    if (key.type == KeyType::kLater) continue;
    for (absl::string_view path = key.path; !path.empty(); path = SectionOf(path)) {
      if (NameOf(path) == name) AddNew(SectionOf(path), sections);
    }
  }
  return sections;
}

// A group is a choice of units for one thing, or of where one thing comes from.
absl::Span<const std::vector<absl::string_view>> RivalGroups() {
  static const auto& groups = *new std::vector<std::vector<absl::string_view>>{
      {"model.zoo", "model.onnx"},
      {"train.epochs", "train.steps"},
      {"train.evaluate_every.epochs", "train.evaluate_every.steps"},
      {"checkpoint.every.steps", "checkpoint.every.seconds"},
  };
  return groups;
}

std::vector<absl::string_view> Rivals(absl::string_view path) {
  for (std::vector<absl::string_view> group : RivalGroups()) {
    const auto own = std::find(group.begin(), group.end(), path);
    if (own == group.end()) continue;
    group.erase(own);
    return group;
  }
  return {};
}

std::string JoinKey(absl::string_view section, absl::string_view name) {
  return absl::StrCat(section, section.empty() ? "" : ".", name);
}

absl::string_view SectionOf(absl::string_view path) {
  const size_t dot = path.rfind('.');
  return dot == absl::string_view::npos ? "" : path.substr(0, dot);
}

absl::string_view NameOf(absl::string_view path) {
  const size_t dot = path.rfind('.');
  return dot == absl::string_view::npos ? path : path.substr(dot + 1);
}

}  // namespace rm::jobspec
