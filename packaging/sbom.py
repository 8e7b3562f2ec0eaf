#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""sbom.py ARCHIVE VERSION SECONDS URL: the bill of materials of a release, in SPDX 2.3 as JSON, to standard output.

ARCHIVE is the source archive, SECONDS the time of its commit since 1970, URL where the archive will be found. The same arguments give the same
bytes. What is listed is each file of the archive, and what the library is built with and uses.
"""
import datetime
import hashlib
import json
import re
import sys
import tarfile

archive, version, seconds, url = sys.argv[1:]
with open(archive, "rb") as file:
    archive_sum = hashlib.sha256(file.read()).hexdigest()

files = []
with tarfile.open(archive) as tar:
    for member in sorted(tar.getmembers(), key=lambda member: member.name):
        if not member.isfile():
            continue
        data = tar.extractfile(member).read()
        name = "./" + member.name.partition("/")[2]
        files.append({
            "SPDXID": "SPDXRef-File-" + re.sub(r"[^A-Za-z0-9.]", "-", name[2:]) + "-" + hashlib.sha1(name.encode()).hexdigest()[:8],
            "fileName": name,
            "checksums": [{"algorithm": "SHA1", "checksumValue": hashlib.sha1(data).hexdigest()},
                          {"algorithm": "SHA256", "checksumValue": hashlib.sha256(data).hexdigest()}],
            "licenseConcluded": "BSL-1.0",
            "licenseInfoInFiles": ["BSL-1.0" if b"SPDX-License-Identifier: BSL-1.0" in data else "NOASSERTION"],
            "copyrightText": "NOASSERTION",
        })
sums = "".join(sorted(file["checksums"][0]["checksumValue"] for file in files))


def other(name, versions, licence, home):
    return {"SPDXID": "SPDXRef-" + name, "name": name, "versionInfo": versions, "downloadLocation": home, "filesAnalyzed": False,
            "licenseConcluded": licence, "licenseDeclared": licence, "copyrightText": "NOASSERTION"}


document = {
    "spdxVersion": "SPDX-2.3",
    "dataLicense": "CC0-1.0",
    "SPDXID": "SPDXRef-DOCUMENT",
    "name": f"twat-mp-{version}",
    "documentNamespace": f"https://spdx.org/spdxdocs/twat-mp-{version}-{archive_sum[:32]}",
    "creationInfo": {"created": datetime.datetime.fromtimestamp(int(seconds), datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
                     "creators": ["Tool: tools/release"]},
    "packages": [
        {"SPDXID": "SPDXRef-twat-mp", "name": "twat-mp", "versionInfo": version, "downloadLocation": url if url.startswith("http") else "NOASSERTION",
         "packageFileName": archive.rpartition("/")[2], "filesAnalyzed": True,
         "packageVerificationCode": {"packageVerificationCodeValue": hashlib.sha1(sums.encode()).hexdigest()},
         "checksums": [{"algorithm": "SHA256", "checksumValue": archive_sum}],
         "licenseConcluded": "BSL-1.0", "licenseDeclared": "BSL-1.0", "licenseInfoFromFiles": ["BSL-1.0", "NOASSERTION"],
         "copyrightText": "NOASSERTION"},
        other("boost", "1.81 or later", "BSL-1.0", "https://www.boost.org"),
        other("glibc", "NOASSERTION", "LGPL-2.1-or-later", "https://www.gnu.org/software/libc/"),
        other("libdw", "any, loaded if it is there", "LGPL-3.0-or-later OR GPL-2.0-or-later", "https://sourceware.org/elfutils/"),
        other("nats.c", "any, for pools over several hosts", "Apache-2.0", "https://nats.io"),
    ],
    "files": files,
    "relationships": [
        {"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": "SPDXRef-twat-mp"},
        {"spdxElementId": "SPDXRef-twat-mp", "relationshipType": "DEPENDS_ON", "relatedSpdxElement": "SPDXRef-boost"},
        {"spdxElementId": "SPDXRef-twat-mp", "relationshipType": "DEPENDS_ON", "relatedSpdxElement": "SPDXRef-glibc"},
        {"spdxElementId": "SPDXRef-libdw", "relationshipType": "OPTIONAL_DEPENDENCY_OF", "relatedSpdxElement": "SPDXRef-twat-mp"},
        {"spdxElementId": "SPDXRef-nats.c", "relationshipType": "OPTIONAL_DEPENDENCY_OF", "relatedSpdxElement": "SPDXRef-twat-mp"},
        *({"spdxElementId": "SPDXRef-twat-mp", "relationshipType": "CONTAINS", "relatedSpdxElement": file["SPDXID"]} for file in files),
    ],
}
json.dump(document, sys.stdout, indent=1)
print()
