#include "runtime/worker/life_file.h"

#include <signal.h>

#include <algorithm>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "base/crc32c.h"
#include "base/log.h"
#include "base/status.h"

namespace rm::worker {
namespace pb = ::ringmaster::v1;
namespace {

constexpr size_t kHeadBytes = 8;

// Written byte by byte, so that the file can be read on a machine of any byte order.
void PutU32(uint32_t number, std::string& bytes) {
  for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>((number >> shift) & 0xFF);
}

uint32_t GetU32(absl::string_view bytes) {
  uint32_t number = 0;
  for (size_t i = 4; i-- > 0;) number = (number << 8) | static_cast<unsigned char>(bytes[i]);
  return number;
}

// Length and checksum go before the body: a record that is cut off anywhere is known as such.
std::string RecordOf(const pb::WorkerMessage& message) {
  const std::string body = message.SerializeAsString();
  std::string record;
  PutU32(static_cast<uint32_t>(body.size()), record);
  PutU32(base::Crc32c(body), record);
  return record + body;
}

// A report that reports nothing stands for a start: no message of the protocol says it, and no record
// needs a type of its own.
pb::WorkerMessage StartedMessage(const pb::RankRef& rank) {
  pb::WorkerMessage message;
  *message.mutable_report()->mutable_rank() = rank;
  return message;
}

const pb::RankRef& RankOfEnd(const pb::WorkerMessage& end) {
  return end.has_refused() ? end.refused().rank() : end.exited().rank();
}

// What nobody saw, but must have happened: PR_SET_PDEATHSIG is SIGKILL.
pb::WorkerMessage DiedWithWorker(const pb::RankRef& rank) {
  pb::WorkerMessage message;
  pb::RankExited& exited = *message.mutable_exited();
  *exited.mutable_rank() = rank;
  exited.set_signal(SIGKILL);
  exited.mutable_cause()->set_code("WorkerDied");
  exited.mutable_cause()->set_sentence("its worker ended without stopping it, and a rank dies with its worker");
  return message;
}

}  // namespace

// What was left is read first, then written anew: a damaged tail must not stay before new records.
LifeFile::LifeFile(base::FileSystem& files, const std::string& path) : files_(files), path_(path) {
  Read();
  for (const auto& [key, rank] : running_) ends_.push_back(DiedWithWorker(rank));
  running_.clear();
  inherited_.assign(ends_.begin(), ends_.end());
  WriteAnew();
}

// The longest sound beginning of the file counts.
void LifeFile::Read() {
  const auto text = files_.ReadFile(path_);
  if (!text.ok()) return;  // the first start in this folder
  absl::string_view rest = *text;
  while (rest.size() >= kHeadBytes) {
    const size_t size = GetU32(rest);
    const uint32_t crc = GetU32(rest.substr(4));
    rest.remove_prefix(kHeadBytes);
    pb::WorkerMessage record;
    const absl::string_view body = rest.substr(0, size);
    if (body.size() < size || base::Crc32c(body) != crc) return;
    if (!record.ParseFromArray(body.data(), static_cast<int>(body.size()))) return;
    Take(record);
    rest.remove_prefix(size);
  }
}

// The state that the records add up to, the same while reading and while writing.
void LifeFile::Take(const pb::WorkerMessage& record) {
  if (record.has_report()) {
    running_[KeyOf(record.report().rank())] = record.report().rank();
    return;
  }
  running_.erase(KeyOf(RankOfEnd(record)));
  ends_.push_back(record);
  if (ends_.size() > kEndsMax) ends_.pop_front();
}

// Before the process exists: a worker that dies in between reports one rank too many as dead, and
// that is the truth as well.
void LifeFile::NoteStarted(const pb::RankRef& rank) { Append(StartedMessage(rank)); }

void LifeFile::NoteEnded(const pb::WorkerMessage& end) { Append(end); }

// An append is one small write into the page cache; the loop that calls this waits for no disk.
void LifeFile::Append(const pb::WorkerMessage& record) {
  Take(record);
  if (file_ == nullptr) return;
  const std::string bytes = RecordOf(record);
  bytes_ += bytes.size();
  if (bytes_ > bytes_max_) return WriteAnew();
  const absl::Status appended = file_->Append(bytes);
  if (!appended.ok()) GiveUp(appended);
}

// In one piece, so that a death in the middle of it leaves the old file or the new one.
void LifeFile::WriteAnew() {
  std::string bytes;
  for (const auto& [key, rank] : running_) bytes += RecordOf(StartedMessage(rank));
  for (const pb::WorkerMessage& end : ends_) bytes += RecordOf(end);
  bytes_ = bytes.size();
  bytes_max_ = std::max(kBytesMin, 2 * bytes_);
  const absl::Status written = base::WriteFileAtomically(files_, path_, bytes);
  if (!written.ok()) return GiveUp(written);
  auto file = files_.OpenForAppend(path_);
  if (!file.ok()) return GiveUp(file.status());
  file_ = *std::move(file);
}

// Said once, since nothing is written from then on.
void LifeFile::GiveUp(const absl::Status& status) {
  file_.reset();
  base::LogWarning("the ends of ranks are not kept for the next start of this worker: ",
                   status.message());
}

}  // namespace rm::worker
