// What can be said of a spec without looking at the world.
#include <algorithm>
#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "runtime/jobspec/components.h"
#include "runtime/jobspec/jobspec.h"
#include "runtime/jobspec/key_table.h"
#include "runtime/jobspec/spec_field.h"
#include "runtime/jobspec/suggest.h"
#include "runtime/jobspec/value.h"

namespace rm::jobspec {
namespace {

constexpr size_t kNameBytesMax = 56;  // with the coordinator's id behind it, a DNS label
// Labels and parameters are kept with the job, shown in tables and used as labels of metrics.
constexpr size_t kEntriesMax = 64;
constexpr size_t kEntryBytesMax = 256;
// A table may have many columns.
constexpr size_t kColumnsMax = 4096;

// What can be part of a host name, a file name and a metric's label alike.
bool IsJobName(absl::string_view name) {
  const auto is_letter = [](char c) {
    return absl::ascii_islower(static_cast<unsigned char>(c)) ||
           absl::ascii_isdigit(static_cast<unsigned char>(c));
  };
  return !name.empty() && name.size() <= kNameBytesMax && is_letter(name.front()) &&
         is_letter(name.back()) && std::all_of(name.begin(), name.end(), [&](char c) {
           return is_letter(c) || c == '-';
         });
}

bool HasControl(absl::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_iscntrl(static_cast<unsigned char>(c));
  });
}

// One pass over the table for each field by itself, then the relations between fields. Every check
// stands alone, so that all errors are found at once.
class Validator {
 public:
  Validator(const pb::JobSpec& spec, absl::Span<const pb::SourcePosition> positions)
      : spec_(spec), positions_(positions) {}

  std::vector<Diagnostic> Run() {
    for (const Key& key : Keys()) CheckKey(key);
    CheckName();
    for (const Key& key : Keys()) CheckArtifact(key);
    for (const auto& group : RivalGroups()) CheckRivals(group);
    CheckModel();
    CheckLoss();
    CheckLength();
    CheckData();
    CheckRanks();
    CheckShards();
    for (const char* const section : {"train.optimizer", "train.scheduler"}) {
      CheckComponent(section);
    }
    CheckNesterov();
    return std::move(errors_);
  }

 private:
  // Adds an error at the place of the field, or of the nearest section around it that has one.
  void Error(absl::string_view path, std::string message) {
    Diagnostic error{0, 0, std::string(path), std::move(message)};
    for (absl::string_view at = path; error.line == 0 && !at.empty(); at = SectionOf(at)) {
      for (const pb::SourcePosition& position : positions_) {
        if (position.field_path() != at) continue;
        error.line = position.line();
        error.column = position.column();
      }
    }
    errors_.push_back(std::move(error));
  }

  // Turns a message of value.h into an error at the field.
  void Check(absl::string_view path, const absl::Status& status) {
    if (!status.ok()) Error(path, std::string(status.message()));
  }

  // A validation set is optional, but one that is given is given in full.
  bool IsRequired(const Key& key) const {
    return key.required || (key.required_in_section && IsSet(spec_, SectionOf(key.field)));
  }

  // One field by itself: refused, missing, or with a value that it may have.
  void CheckKey(const Key& key) {
    if (key.type == KeyType::kRanks || !HasField(key.field)) return;
    if (key.type == KeyType::kLater) {
      if (IsSet(spec_, key.field)) {
        Error(key.path, absl::StrCat("'", key.path, "' is not supported yet"));
      }
    } else if (key.type == KeyType::kTextList) {
      CheckTextList(key);
    } else if (key.type == KeyType::kTextMap) {
      CheckTextMap(key);
    } else if (key.type == KeyType::kTextListMap) {
      CheckInputs(key);
    } else if (key.type == KeyType::kNumberMap) {
      CheckNumberMap(key);
    } else if (!IsSet(spec_, key.field) && IsRequired(key)) {
      Error(key.path, absl::StrCat("'", key.path, "' is missing: ", key.doc,
                                   key.choices.empty() ? "" : "; possible: ",
                                   absl::StrReplaceAll(key.choices, {{"|", ", "}})));
    } else if (IsSet(spec_, key.field) || MustHaveValue(key)) {
      Check(key.path, CheckValue(key, GetValue(spec_, key)));
    }
  }

  // A key with a default cannot stay empty, unless a rival stands in for it.
  bool MustHaveValue(const Key& key) const {
    if (key.fallback.empty()) return false;
    const auto rivals = Rivals(key.path);
    return std::none_of(rivals.begin(), rivals.end(), [&](absl::string_view rival) {
      return IsSet(spec_, FindKey(rival)->field);
    });
  }

  // Whatever the names, there may only be so many.
  void CheckEntryCount(const Key& key, size_t count) {
    const bool are_columns =
        SectionOf(key.path) == "data.schema" || key.type == KeyType::kTextListMap;
    const size_t most = are_columns ? kColumnsMax : kEntriesMax;
    if (count <= most) return;
    Error(key.path, absl::StrCat("'", key.path, "' has ", count, " entries; at most ", most,
                                 " are allowed"));
  }

  // Texts of a list are names of things, each of them named once.
  void CheckTextList(const Key& key) { CheckTexts(key, std::string(key.path), GetTextList(spec_, key)); }

  void CheckTexts(const Key& key, const std::string& path, std::vector<std::string> texts) {
    CheckEntryCount(key, texts.size());
    std::sort(texts.begin(), texts.end());
    for (size_t i = 0; i < texts.size(); ++i) {
      if (texts[i].empty() || texts[i].size() > kEntryBytesMax || HasControl(texts[i])) {
        Error(path, absl::StrCat("'", path, "': each text has at least one and at most ",
                                 kEntryBytesMax, " bytes, without control characters"));
      } else if (i > 0 && texts[i] == texts[i - 1]) {
        Error(path, absl::StrCat("'", path, "' has '", texts[i], "' twice"));
      }
    }
  }

  // Which inputs there are is the model's to say; that each has columns, and that they are features,
  // can be said here.
  void CheckInputs(const Key& key) {
    const auto inputs = GetInputs(spec_);
    const auto& features = spec_.data().schema().features();
    CheckEntryCount(key, inputs.size());
    for (const auto& [name, columns] : inputs) {
      const std::string path = JoinKey(key.path, name);
      if (name.empty() || name.size() > kEntryBytesMax || HasControl(name)) {
        Error(path, absl::StrCat("'", path, "': a name has at least one and at most ",
                                 kEntryBytesMax, " bytes, without control characters"));
      }
      if (columns.empty()) Error(path, absl::StrCat("'", path, "' names no column"));
      CheckTexts(key, path, columns);
      for (const std::string& column : columns) {
        if (features.empty() || Contains(features, column)) continue;
        Error(path, absl::StrCat("'", path, "': '", column, "' is not in 'data.schema.features'"));
      }
    }
    CheckAllUsed(inputs);
  }

  template <typename List>
  static bool Contains(const List& texts, const std::string& text) {
    return std::find(texts.begin(), texts.end(), text) != texts.end();
  }

  // A feature that goes nowhere was forgotten in one of the two lists.
  void CheckAllUsed(const TextListMap& inputs) {
    if (inputs.empty()) return;
    for (const std::string& feature : spec_.data().schema().features()) {
      const bool is_used = std::any_of(inputs.begin(), inputs.end(), [&](const auto& input) {
        return Contains(input.second, feature);
      });
      if (is_used) continue;
      Error("data.schema.features", absl::StrCat("'data.schema.features': '", feature,
                                                 "' goes to no input in 'data.inputs'"));
    }
  }

  void CheckTextMap(const Key& key) {
    const auto entries = GetTextMap(key.path, spec_);
    CheckEntryCount(key, entries.size());
    for (const auto& [name, text] : entries) {
      const std::string path = JoinKey(key.path, name);
      if (name.empty() || name.size() > kEntryBytesMax || text.size() > kEntryBytesMax ||
          HasControl(text)) {
        Error(path, absl::StrCat("'", path, "': name and text have at most ", kEntryBytesMax,
                                 " bytes, without control characters, and a name at least one"));
      }
    }
  }

  // Ranges of parameters depend on the component; a number that is none is wrong everywhere.
  void CheckNumberMap(const Key& key) {
    const auto entries = GetNumberMap(key.path, spec_);
    CheckEntryCount(key, entries.size());
    for (const auto& [name, number] : entries) {
      const std::string path = JoinKey(key.path, name);
      if (!std::isfinite(number)) Error(path, absl::StrCat("'", path, "' must be a finite number"));
    }
  }

  void CheckName() {
    if (spec_.name().empty() || IsJobName(spec_.name())) return;
    Error("name", absl::StrCat("'name' must be of a-z, 0-9 and '-', begin and end with a letter or "
                               "digit, and have at most ",
                               kNameBytesMax, " characters"));
  }

  // A name of an artifact that is no digest would be looked for in vain, long after the submission.
  void CheckArtifact(const Key& key) {
    if (key.type != KeyType::kFile || !IsSet(spec_, key.field)) return;
    const std::string text = std::get<std::string>(GetValue(spec_, key));
    if (!absl::StartsWith(text, kArtifactPrefix) || !DigestOfArtifact(text).empty()) return;
    Error(key.path, absl::StrCat("'", key.path, "': '", kArtifactPrefix,
                                 "' must be followed by the 64 hex digits of a SHA-256"));
  }

  // At most one of a group may be given.
  void CheckRivals(const std::vector<absl::string_view>& group) {
    std::vector<std::string> given;
    for (const absl::string_view path : group) {
      if (IsSet(spec_, FindKey(path)->field)) given.push_back(absl::StrCat("'", path, "'"));
    }
    if (given.size() < 2) return;
    Error(group.back(), absl::StrCat("give either ", absl::StrJoin(given, " or "), ", not both"));
  }

  // Built in or from a file. What a file's network takes is said in the file.
  void CheckModel() {
    const pb::ModelSpec& model = spec_.model();
    if (model.zoo().empty() && model.onnx().empty()) {
      return Error("model.zoo", "one of 'model.zoo' and 'model.onnx' must be given");
    }
    if (model.onnx().empty() || model.params().empty()) return;
    Error("model.params",
          "'model.params' is for built-in models; 'model.onnx' is a network that has all its sizes");
  }

  // How long the job trains has no default: nobody else can know.
  void CheckLength() {
    if (spec_.train().epochs() != 0 || spec_.train().steps() != 0) return;
    Error("train.epochs", "one of 'train.epochs' and 'train.steps' must be given");
  }

  // A schema is for csv files, and they cannot do without; a validation set has the categories and
  // means of a training set, so both are csv or neither is.
  void CheckData() {
    const pb::DataSpec& data = spec_.data();
    const std::string &train = data.train().format(), &validation = data.validation().format();
    const bool is_csv = train == "csv";
    if (!train.empty() && !validation.empty() && is_csv != (validation == "csv")) {
      return Error("data.validation.format",
                   absl::StrCat("'data.validation.format' is '", validation,
                                "', but 'data.train.format' is '", train,
                                "': either both are csv or neither is, since a csv validation set "
                                "has the categories and means of the training file"));
    }
    if (is_csv) return CheckSchema(data.schema());
    if (!train.empty() && data.inputs_size() > 0) {
      Error("data.inputs", absl::StrCat("'data.inputs' is for csv files, but 'data.train.format' is '",
                                        train, "'"));
    }
    if (!data.has_schema() || train.empty()) return;
    Error("data.schema", absl::StrCat("'data.schema' is for csv files, but 'data.train.format' is '",
                                      train, "'"));
  }

  // What can be said of a schema without the file.
  void CheckSchema(const pb::SchemaSpec& schema) {
    const auto& features = schema.features();
    if (schema.label().empty()) {
      return Error("data.schema.label", "'data.schema.label' is missing: a csv file needs the name "
                                        "of the column that is to be predicted");
    }
    const auto is_feature = [&](const std::string& column) { return Contains(features, column); };
    if (is_feature(schema.label())) {
      Error("data.schema.features", absl::StrCat("'data.schema.features': '", schema.label(),
                                                 "' is the label, so it cannot be a feature"));
    }
    for (const auto& [column, type] : GetTextMap("data.schema.types", spec_)) {
      CheckColumnType(column, type);
      if (features.empty() || column == schema.label() || is_feature(column)) continue;
      std::vector<absl::string_view> known(features.begin(), features.end());
      known.push_back(schema.label());
      Error(JoinKey("data.schema.types", column),
            absl::StrCat("'data.schema.types': '", column, "' is neither a feature nor the label",
                         DidYouMean(column, known)));
    }
  }

  void CheckColumnType(const std::string& column, const std::string& type) {
    const std::vector<absl::string_view> types =
        absl::StrSplit(FindKey("data.schema.types")->choices, '|');
    const std::string path = JoinKey("data.schema.types", column);
    if (std::find(types.begin(), types.end(), type) == types.end()) {
      Error(path, absl::StrCat("'", path, "' cannot be '", type, "'", DidYouMean(type, types),
                               "; possible: ", absl::StrJoin(types, ", ")));
    } else if (column == spec_.data().schema().label()) {
      CheckLabelType(path, type);
    }
  }

  // What the label is depends on what is made of it.
  void CheckLabelType(const std::string& path, const std::string& type) {
    const std::string& loss = spec_.model().loss();
    const bool has_numbers = loss == "mse" || loss == "sigmoid_binary_cross_entropy";
    if (type == "float" && !has_numbers) {
      Error(path, absl::StrCat("'", path, "': the label says which class a record is, so it is int "
                               "or category, not float"));
    } else if (type == "category" && loss == "mse") {
      Error(path, absl::StrCat("'", path, "': 'model.loss: mse' compares numbers, so the label is "
                               "float or int, not category"));
    }
  }

  // Smoothing takes a share of a class and gives it to the others.
  void CheckLoss() {
    const std::string& loss = spec_.model().loss();
    if (spec_.model().label_smoothing() == 0 || loss.empty() || loss == "softmax_cross_entropy") {
      return;
    }
    Error("model.label_smoothing", absl::StrCat("'model.label_smoothing' is for losses with "
                                                "classes, not for '", loss, "'"));
  }

  // The number of ranks, and that each has something to do.
  // Exact mode: the batch in parts of one size, a power of two of them.
  void CheckShards() {
    const pb::TrainSpec& train = spec_.train();
    if (train.determinism() != "exact") {
      if (train.virtual_shards() == 0) return;
      return Error("train.virtual_shards",
                   "'train.virtual_shards' goes with 'train.determinism: exact'");
    }
    if (train.gradient_accumulation() > 1) {
      Error("train.gradient_accumulation",
            absl::StrCat("'train.gradient_accumulation' is ", train.gradient_accumulation(),
                         ": with 'train.determinism: exact' the virtual shards are the parts; give "
                         "more 'train.virtual_shards'"));
    }
    const int64_t shards = VirtualShards(spec_), batch = train.global_batch_size();
    const int64_t ranks = spec_.resources().ranks_max();
    const bool power_of_two = (shards & (shards - 1)) == 0;
    if (batch < 1 || ranks < 1 || (power_of_two && shards >= ranks && batch % shards == 0)) return;
    Error("train.virtual_shards",
          absl::StrCat("'train.virtual_shards' is ", shards, ": it must be a power of two, no less "
                       "than 'resources.ranks' (", ranks,
                       "), that divides 'train.global_batch_size' (", batch, ")"));
  }

  void CheckRanks() {
    const Key& key = *FindKey("resources.ranks");
    const int64_t least = spec_.resources().ranks_min(), most = spec_.resources().ranks_max();
    for (const int64_t ranks : {least, most}) {
      const absl::Status status = CheckRange(key.path, key.range, static_cast<double>(ranks));
      if (!status.ok()) return Error(key.path, std::string(status.message()));
    }
    if (least > most) {
      return Error(key.path, absl::StrCat("'resources.ranks': min (", least, ") is above max (",
                                          most, ")"));
    }
    if (least < most) {
      Error(key.path, absl::StrCat("'resources.ranks': elastic jobs (min ", least, ", max ", most,
                                   ") are not supported yet; give one number"));
    }
    const int64_t batch = spec_.train().global_batch_size();
    if (batch > 0 && batch < most) {
      Error("train.global_batch_size",
            absl::StrCat("'train.global_batch_size' is ", batch, ", but 'resources.ranks' is ",
                         most, ": each rank needs a sample"));
    }
  }

  // The parameters of the optimizer or the schedule that was chosen: known, in range, and all that
  // are needed.
  void CheckComponent(absl::string_view section) {
    const std::string type_path = JoinKey(section, "type");
    const Value type = GetValue(spec_, *FindKey(type_path));
    const Component* component = FindComponent(section, std::get<std::string>(type));
    if (component == nullptr) return;  // CheckKey has said so
    const std::string params_path = JoinKey(section, "params");
    const auto given = GetNumberMap(params_path, spec_);
    for (const auto& [name, number] : given) CheckParam(*component, params_path, name, number);
    for (const Param& param : component->params) {
      const std::string path = JoinKey(params_path, param.name);
      if (param.required && given.count(std::string(param.name)) == 0) {
        Error(path, absl::StrCat("'", path, "' is missing: ", param.doc));
      }
    }
  }

  void CheckParam(const Component& component, const std::string& params_path,
                  const std::string& name, double number) {
    const std::string path = JoinKey(params_path, name);
    std::vector<absl::string_view> known;
    for (const Param& param : component.params) {
      known.push_back(param.name);
      if (param.name == name) return Check(path, CheckRange(path, param.range, number));
    }
    const std::string possible =
        known.empty() ? "it takes none" : absl::StrCat("possible: ", absl::StrJoin(known, ", "));
    Error(path, absl::StrCat("unknown parameter '", name, "' of ", component.type,
                             DidYouMean(name, known), "; ", possible));
  }

  // Looking ahead along a momentum of 0 is plain SGD under another name: a slip.
  void CheckNesterov() {
    const auto params = GetNumberMap("train.optimizer.params", spec_);
    const auto nesterov = params.find("nesterov"), momentum = params.find("momentum");
    if (nesterov == params.end() || nesterov->second == 0) return;
    if (momentum != params.end() && momentum->second > 0) return;
    Error("train.optimizer.params.nesterov",
          "'train.optimizer.params.nesterov' needs a momentum above 0");
  }

  const pb::JobSpec& spec_;
  const absl::Span<const pb::SourcePosition> positions_;
  std::vector<Diagnostic> errors_;
};

}  // namespace

std::vector<Diagnostic> Validate(const pb::JobSpec& spec,
                                 absl::Span<const pb::SourcePosition> positions) {
  return Validator(spec, positions).Run();
}

}  // namespace rm::jobspec
