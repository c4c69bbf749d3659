package io.millrace.jobs;

import java.io.IOException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.util.VersionInfo;

/// Finds the file system of a path, and says what is missing if there is none.
final class FileSystems {

    private FileSystems() {}

    /// @throws JobException if the scheme's file system is not on the class path
    static FileSystem of(Path path, Configuration conf) throws IOException {
        String scheme = path.toUri().getScheme();
        try {
            return path.getFileSystem(conf);
        } catch (RuntimeException | IOException e) {
            if (!isMissingClass(e)) {
                throw e;
            }
            throw new JobException(
                    path + ": expected a file system for " + scheme + ":, got none on the class path; "
                            + remedy(scheme),
                    e);
        }
    }

    private static String remedy(String scheme) {
        String module = switch (scheme) {
            case "s3a" -> "hadoop-aws";
            case "abfs", "abfss" -> "hadoop-azure";
            case "gs" -> "gcs-connector";
            default -> "its Hadoop module";
        };
        return "add " + module + " for Hadoop " + VersionInfo.getVersion()
                + " with what it needs (not bundled) by MILLRACE_CLASSPATH or spark.jars";
    }

    private static boolean isMissingClass(Throwable thrown) {
        for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
            if (cause instanceof ClassNotFoundException
                    || cause.getClass().getSimpleName().equals("UnsupportedFileSystemException")) {
                return true;
            }
        }
        return false;
    }
}
