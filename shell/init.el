;;; xmod for Emacs: (module "load" "gcc") changes the environment of this Emacs.
;;;     (load-file (concat (getenv "MODULESHOME") "/init/lisp"))

(if (or (file-executable-p @LMOD_CMD@) (not (getenv "MODULESHOME")))
    (progn
      (setenv "MODULESHOME" @MODULESHOME@)
      (setenv "LMOD_CMD" @LMOD_CMD@)
      (setenv "LMOD_DIR" @LMOD_DIR@))
  ;; The tree was moved.
  (setenv "LMOD_DIR" (concat (getenv "MODULESHOME") "/libexec"))
  (setenv "LMOD_CMD" (concat (getenv "LMOD_DIR") "/lmod")))

(defun module (&rest words)
  "Run one module command; return non-nil when it was met."
  (let ((messages (make-temp-file "xmod")) code)
    (unwind-protect
        (progn
          (with-temp-buffer
            (apply #'call-process (getenv "LMOD_CMD") nil (list t messages) nil "lisp" words)
            (setq code (buffer-string)))
          (with-temp-buffer
            (insert-file-contents messages)
            (unless (zerop (buffer-size)) (message "%s" (buffer-string)))))
      (delete-file messages))
    (eval (car (read-from-string (concat "(progn " code ")"))) t)))

(when (and (not (getenv "MODULEPATH"))
           (file-readable-p (concat (getenv "MODULESHOME") "/etc/modulespath")))
  (module "modulespath"))
