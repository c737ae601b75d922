// The flag is looked at between reads, never during one: a single piece takes milliseconds, also
// from a slow disk, and a read that hangs in a network file system cannot be ended by anyone.
#include "runtime/coordinator/stoppable_files.h"

#include <algorithm>
#include <utility>

#include "base/status.h"

namespace rm::coordinator {

// A long read in pieces, with a look at the flag before each.
class StoppableFiles::Reader final : public base::RandomAccessFile {
 public:
  Reader(const StoppableFiles& owner, std::unique_ptr<base::RandomAccessFile> file)
      : owner_(owner), file_(std::move(file)) {}

  absl::Status Read(uint64_t offset, uint64_t size, char* destination) const override {
    do {
      RM_RETURN_IF_ERROR(owner_.CheckGoesOn());
      const uint64_t piece = std::min(size, kPieceBytes);
      RM_RETURN_IF_ERROR(file_->Read(offset, piece, destination));
      offset += piece;
      destination += piece;
      size -= piece;
    } while (size > 0);
    return absl::OkStatus();
  }
  uint64_t size() const override { return file_->size(); }

 private:
  const StoppableFiles& owner_;
  const std::unique_ptr<base::RandomAccessFile> file_;
};

absl::Status StoppableFiles::CheckGoesOn() const {
  return is_stopped_.load() ? absl::UnavailableError("the coordinator is stopping")
                            : absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<base::RandomAccessFile>> StoppableFiles::Open(
    const std::string& path) const {
  RM_RETURN_IF_ERROR(CheckGoesOn());
  RM_ASSIGN_OR_RETURN(auto file, files_.Open(path));
  return std::make_unique<Reader>(*this, std::move(file));
}

absl::StatusOr<std::string> StoppableFiles::ReadFile(const std::string& path) const {
  RM_RETURN_IF_ERROR(CheckGoesOn());
  return files_.ReadFile(path);
}

absl::StatusOr<std::vector<std::string>> StoppableFiles::List(const std::string& path) const {
  RM_RETURN_IF_ERROR(CheckGoesOn());
  return files_.List(path);
}

}  // namespace rm::coordinator
