package io.millrace.udf.sandbox;

import java.io.ByteArrayOutputStream;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/// A program that the sandbox runs: compiles a Java program with its tests and runs its class `Main`,
/// both in one JVM, and says the word that it was told when that has come to its end.
///
/// It travels alone, as the bytes of its class, and so knows no other class of ours. The word comes by
/// standard input, which is shut before the program begins, and is kept nowhere but in a local variable.
final class JavaExaminer {
    /// Exit code if the program does not compile.
    static final int NOT_COMPILED = 3;

    private JavaExaminer() {}

    /// @param args source file, folder for classes
    public static void main(String[] args) throws IOException, ReflectiveOperationException {
        byte[] word = word();
        int code = compile(Path.of(args[0]), args[1]);
        if (code == 0) {
            run(Path.of(args[1]).toUri().toURL());
            try (FileOutputStream out = new FileOutputStream(FileDescriptor.out)) {
                out.write('\n');
                out.write(word);
            }
        }
        // nothing that the program has left running is waited for
        Runtime.getRuntime().halt(code);
    }

    private static byte[] word() throws IOException {
        try (InputStream in = new FileInputStream(FileDescriptor.in)) {
            ByteArrayOutputStream word = new ByteArrayOutputStream();
            in.transferTo(word);
            return word.toByteArray();
        }
    }

    private static int compile(Path source, String classes) throws IOException {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null)) {
            List<String> options = List.of("-d", classes, "-proc:none", "-nowarn", "-encoding", "UTF-8");
            boolean compiled = compiler.getTask(null, files, null, options, null, files.getJavaFileObjects(source))
                    .call();
            return compiled ? 0 : NOT_COMPILED;
        }
    }

    private static void run(URL classes) throws IOException, ReflectiveOperationException {
        try (URLClassLoader loader = new URLClassLoader(new URL[] {classes}, ClassLoader.getPlatformClassLoader())) {
            Class.forName("Main", true, loader)
                    .getMethod("main", String[].class)
                    .invoke(null, (Object) new String[0]);
        } catch (InvocationTargetException e) {
            try (PrintStream err =
                    new PrintStream(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8)) {
                e.getTargetException().printStackTrace(err);
            }
            Runtime.getRuntime().halt(1);
        }
    }
}
