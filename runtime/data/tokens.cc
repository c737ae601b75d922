// A token file has no header that could say anything, so the name says how wide a token is:
// guessing from the bytes would be right until the first rare word.
#include "runtime/data/tokens.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status.h"

namespace rm::data {
namespace {

// 0: a name that says nothing.
int64_t TokenBytes(const std::string& path) {
  if (absl::EndsWith(path, ".u16") || absl::EndsWith(path, ".bin")) return 2;
  return absl::EndsWith(path, ".u32") ? 4 : 0;
}

// Windows as samples.
class TokenSamples final : public Dataset {
 public:
  TokenSamples(std::unique_ptr<TokenDataset> tokens, const SampleTensor& input, int64_t window)
      : tokens_(std::move(tokens)), window_(window) {
    layout_.inputs = {input};
    layout_.target.shape = {window};
    layout_.classes = tokens_->vocabulary();
  }

  int64_t size() const override { return tokens_->size(); }
  const SampleLayout& layout() const override { return layout_; }

  void ReadRow(int64_t index, int64_t row, const BatchMemory& memory) const override {
    auto* const targets = RowOf<int64_t>(memory.target, row, window_);
    if (layout_.inputs[0].dtype == kernels::DType::kInt64) {
      return tokens_->Read(index, RowOf<int64_t>(memory.inputs[0], row, window_), targets);
    }
    auto* const narrow = RowOf<int32_t>(memory.inputs[0], row, window_);
    for (int64_t i = 0; i < window_; ++i) {
      narrow[i] = static_cast<int32_t>(tokens_->TokenAt(index * window_ + i));
      targets[i] = tokens_->TokenAt(index * window_ + i + 1);
    }
  }

 private:
  const std::unique_ptr<TokenDataset> tokens_;
  const int64_t window_;
  SampleLayout layout_;
};

// Whether the model is one of language: one window of tokens in, a class for each of them out.
absl::Status CheckModel(const std::string& path, const SampleLayout& model) {
  const auto refuse = [&](const std::string& why) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": the format is tokens, ", why));
  };
  if (model.inputs.size() != 1) {
    return refuse(absl::StrCat("which fills one input, but the model has ", model.inputs.size(),
                               " (", NamesOf(model.inputs), "); use npy"));
  }
  const SampleTensor& input = model.inputs[0];
  const bool is_whole =
      input.dtype == kernels::DType::kInt64 || input.dtype == kernels::DType::kInt32;
  if (!is_whole) {
    return refuse(absl::StrCat("but the model's input '", input.name, "' is ", input.ToString(),
                               "; use idx, csv or npy"));
  }
  if (model.has_classes() && model.target.elements() == input.elements()) return absl::OkStatus();
  return refuse(absl::StrCat("which has a class for each of the ", input.elements(),
                             " tokens of a window; the model's loss wants ",
                             model.target.ToString(), " for a window"));
}

}  // namespace

// One pass for the highest token: it must be known before a model with too small a vocabulary meets
// it.
TokenDataset::TokenDataset(std::string path, std::string bytes, int64_t token_bytes, int64_t window)
    : path_(std::move(path)),
      bytes_(std::move(bytes)),
      token_bytes_(token_bytes),
      window_(window),
      tokens_(static_cast<int64_t>(bytes_.size()) / token_bytes) {
  for (int64_t i = 0; i < tokens_; ++i) vocabulary_ = std::max(vocabulary_, TokenAt(i) + 1);
}

// The file first, then its name: a path that leads nowhere is the more likely slip.
absl::StatusOr<std::unique_ptr<TokenDataset>> TokenDataset::Open(const std::string& path,
                                                                 int64_t window,
                                                                 const base::FileSystem& files) {
  RM_CHECK(window >= 1, "window of ", window);
  const int64_t token_bytes = TokenBytes(path);
  RM_ASSIGN_OR_RETURN(const auto file, files.Open(path));
  if (token_bytes == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": the name does not say how wide a token is; it must end in .u16 or "
                           ".bin (uint16) or .u32 (uint32)"));
  }
  const auto bytes = static_cast<int64_t>(file->size());
  if (bytes % token_bytes != 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        path, ": ", bytes, " bytes are no whole number of ", token_bytes, "-byte tokens"));
  }
  if (bytes / token_bytes <= window) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": ", bytes / token_bytes,
                                                   " tokens do not fill one window of ", window,
                                                   " and the token behind it"));
  }
  std::string content(file->size(), '\0');
  RM_RETURN_IF_ERROR(base::Annotate(file->Read(0, file->size(), content.data()), path));
  return std::unique_ptr<TokenDataset>(
      new TokenDataset(path, std::move(content), token_bytes, window));
}

// Little-endian on any machine.
int64_t TokenDataset::TokenAt(int64_t position) const {
  const auto at = static_cast<size_t>(position * token_bytes_);
  int64_t token = 0;
  for (auto i = static_cast<size_t>(token_bytes_); i-- > 0;) {
    token = token << 8 | static_cast<uint8_t>(bytes_[at + i]);
  }
  return token;
}

// The place is looked for only when there is something to tell.
absl::Status TokenDataset::CheckVocabulary(int64_t limit) const {
  if (vocabulary_ <= limit) return absl::OkStatus();
  int64_t first = 0;
  while (TokenAt(first) < limit) ++first;
  return absl::InvalidArgumentError(absl::StrCat(
      path_, " at offset ", first * token_bytes_, ": token ", TokenAt(first),
      " is out of range: the vocabulary has ", limit, " tokens, 0 to ", limit - 1));
}

// Two windows share a token: the last target of one is the first token of the next.
void TokenDataset::Read(int64_t index, int64_t* tokens, int64_t* targets) const {
  for (int64_t i = 0; i < window_; ++i) {
    tokens[i] = TokenAt(index * window_ + i);
    targets[i] = TokenAt(index * window_ + i + 1);
  }
}

// The file first: a path that leads nowhere is told whatever the model is. Without a model a window is
// one token, which is enough to find out whether the file can be read.
absl::StatusOr<std::unique_ptr<Dataset>> OpenTokens(const pb::DataSource& source,
                                                    const base::FileSystem& files,
                                                    const DatasetOptions& options) {
  const SampleLayout& model = options.model;
  SampleTensor input = FirstInput(options);
  if (model.inputs.empty()) input.dtype = kernels::DType::kInt64;
  const int64_t window = input.elements();
  RM_RETURN_IF_ERROR(files.Open(source.path()).status());
  if (!model.inputs.empty()) RM_RETURN_IF_ERROR(CheckModel(source.path(), model));
  RM_ASSIGN_OR_RETURN(auto tokens, TokenDataset::Open(source.path(), window, files));
  for (const int64_t limit : {model.classes, input.limit}) {
    if (limit > 0) RM_RETURN_IF_ERROR(tokens->CheckVocabulary(limit));
  }
  return std::make_unique<TokenSamples>(std::move(tokens), input, window);
}

}  // namespace rm::data
