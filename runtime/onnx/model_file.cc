// Messages of gigabytes are the rule for language models: the file is read through a stream, so that
// while it is parsed the message is the only copy of the weights in memory.
#include "runtime/onnx/model_file.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "google/protobuf/stubs/logging.h"

namespace rm::onnx {
namespace {

// What protobuf can parse: its sizes are signed 32-bit numbers.
constexpr uint64_t kFileBytesMax = std::numeric_limits<int32_t>::max();

// A file from its beginning to its end.
class FileStream final : public google::protobuf::io::CopyingInputStream {
 public:
  explicit FileStream(const base::RandomAccessFile& file) : file_(file) {}

  int Read(void* buffer, int size) override {
    const uint64_t rest = file_.size() - at_;
    const uint64_t count = std::min(rest, static_cast<uint64_t>(size));
    if (count == 0) return 0;
    status_ = file_.Read(at_, count, static_cast<char*>(buffer));
    if (!status_.ok()) return -1;
    at_ += count;
    return static_cast<int>(count);
  }

  // How reading went.
  const absl::Status& status() const { return status_; }

 private:
  const base::RandomAccessFile& file_;
  uint64_t at_ = 0;
  absl::Status status_;
};

// Takes a model from a stream of `bytes` bytes.
absl::StatusOr<ringmaster::onnx::ModelProto> Parse(
    google::protobuf::io::ZeroCopyInputStream* stream, const std::string& name, uint64_t bytes) {
  ringmaster::onnx::ModelProto model;
  // Protobuf would print what it finds wrong, a line for each text that is no UTF-8.
  const google::protobuf::LogSilencer silence;
  if (model.ParseFromZeroCopyStream(stream) && model.has_graph()) return model;
  return absl::InvalidArgumentError(
      absl::StrCat(name, " is no ONNX model, or it is truncated (", bytes, " bytes)"));
}

// Before a byte is parsed: protobuf would take what is too large for a damaged message.
absl::Status CheckSize(const std::string& name, uint64_t bytes) {
  if (bytes <= kFileBytesMax) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(name, " has ", bytes,
                   " bytes, an ONNX file has less than 2 GiB; export with external data"));
}

}  // namespace

absl::StatusOr<ringmaster::onnx::ModelProto> ParseModel(absl::string_view bytes,
                                                        const std::string& name) {
  RM_RETURN_IF_ERROR(CheckSize(name, bytes.size()));
  google::protobuf::io::ArrayInputStream stream(bytes.data(), static_cast<int>(bytes.size()));
  return Parse(&stream, name, bytes.size());
}

absl::StatusOr<ringmaster::onnx::ModelProto> ReadModel(const base::FileSystem& files,
                                                       const std::string& path) {
  RM_ASSIGN_OR_RETURN(const auto file, files.Open(path));
  RM_RETURN_IF_ERROR(CheckSize(path, file->size()));
  FileStream stream(*file);
  google::protobuf::io::CopyingInputStreamAdaptor adaptor(&stream);
  absl::StatusOr<ringmaster::onnx::ModelProto> model = Parse(&adaptor, path, file->size());
  RM_RETURN_IF_ERROR(stream.status());
  return model;
}

absl::Status WriteModel(const ringmaster::onnx::ModelProto& model, const std::string& path,
                        base::FileSystem& files) {
  const size_t bytes = model.ByteSizeLong();
  if (bytes > kFileBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, " would have ", bytes, " bytes, an ONNX file has less than 2 GiB"));
  }
  return base::WriteFileAtomically(files, path, model.SerializeAsString());
}

}  // namespace rm::onnx
